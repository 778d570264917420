"""Looks at a source once, before it is registered."""
