"""The Compose file on a real engine, as an operator runs it: `make containers`."""
