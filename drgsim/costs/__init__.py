"""Costs of groups of cases: how they spread, which are too far out, how years are weighed against each other."""
