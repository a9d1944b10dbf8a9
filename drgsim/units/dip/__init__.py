"""DIP (按病种分值付费): catalogues of kinds, and the grouping of discharges by them."""
