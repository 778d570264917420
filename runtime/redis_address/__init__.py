"""Addresses of Redis: one server, sentinels, a cluster; with or without TLS."""
