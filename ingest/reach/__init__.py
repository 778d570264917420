"""Parses addresses of cameras, limits what they may reach, and explains failures."""
