"""The `maskwatch` command: starts the stages, registers cameras, fetches networks."""

__version__ = "0.1.0"
