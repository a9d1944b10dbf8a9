"""A second, plain implementation of payment and budgets, and its comparison with drgsim (docs/audit.md)."""
