"""Uploaded images and recordings."""
