"""Compliance and people over time."""
