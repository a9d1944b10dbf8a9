"""Files to begin with: what a user fills in, commented, and working as it is."""
