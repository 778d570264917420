"""Looks for pictures and secrets wherever a running system could leave them."""
