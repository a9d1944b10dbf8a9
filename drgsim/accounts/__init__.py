"""Accounts of settled cases: what a hospital, a bureau or a researcher wants to know of them, in exact sums."""
