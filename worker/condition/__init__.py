"""Whether a camera's picture can be believed."""
