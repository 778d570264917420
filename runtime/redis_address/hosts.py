"""Parses addresses of several servers: `user:password@host:port,other:port`."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote, urlsplit


def read_login(login: str) -> dict[str, str]:
    """Return the given user and password as options of a connection."""
    user, _, password = login.partition(":")
    given = {"username": unquote(user), "password": unquote(password)}
    return {name: value for name, value in given.items() if value}


def read_hosts(hosts: str, default_port: int, example: str) -> tuple[tuple[str, int], ...]:
    """Return each server's host and port; raise `ValueError` with the `example` otherwise."""
    return tuple(_host(one, default_port, example) for one in hosts.split(","))


def _host(text: str, default_port: int, example: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host:
        raise ValueError(f"expected host:port, with commas between them: {example}")
    return host, port or default_port


class Node(NamedTuple):
    """A server's address."""

    host: str
    port: int
