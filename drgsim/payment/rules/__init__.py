"""The rules of settling, one file each; :mod:`drgsim.payment.rules.rule_list` has their order."""
