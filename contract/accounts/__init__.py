"""The rights of accounts."""
