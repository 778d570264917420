"""Registering, probing, changing, exporting and importing cameras."""
