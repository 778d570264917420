"""Reaching Redis, and saying plainly what is wrong with it."""
