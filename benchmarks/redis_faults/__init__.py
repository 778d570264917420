"""Faults of Redis: what does them, and what is said meanwhile."""
