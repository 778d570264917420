"""The `maskwatch` command: starts the stages, registers cameras, fetches networks."""
