"""The campaign: everything that broke drgsim once, tried again and again with other numbers; see docs/reliability.md."""
