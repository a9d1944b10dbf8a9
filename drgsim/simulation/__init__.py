"""What happens if this changes: scenarios on a region, settled to the fen, with answers for hospitals, fund and patients."""
