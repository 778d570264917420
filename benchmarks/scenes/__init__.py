"""Films and faces to measure on, and the truth about who is in them."""
