"""Clients that people really use, against the running system, directly and through proxies."""

from __future__ import annotations


class ClientError(Exception):
    """A client did not get what it should have."""


class MissingError(Exception):
    """This machine lacks the client; says how to install it."""
