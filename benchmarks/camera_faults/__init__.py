"""Faults of cameras at a real server."""
