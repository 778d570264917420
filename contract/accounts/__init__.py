"""What accounts may do."""
