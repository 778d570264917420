"""What cameras counted in a period: sums, and documents of them for people."""
