"""The overview of a period: all cameras together, against the period before."""
