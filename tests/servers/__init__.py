"""Cameras for tests: real servers, some of which misbehave."""
