"""Accounts and rights: users, API keys, sessions, one-time links, and the audit log."""
