"""From groups to money: policies as data, the payment curve, weights, and what each case is paid."""
