"""Reads an address of Redis as people type it: passwords with raw symbols, checked options.

A password from a generator often contains `@`, `:`, `/`, `#`, `?` or `%`, each of which ends a part
of an address. `as_written` encodes them, so that everything behind reads the same address. No
message contains any part of an address, because it might be a part of the password.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import parse_qsl, quote

from runtime.redis_address.cluster import is_cluster, parse_cluster
from runtime.redis_address.hosts import read_hosts
from runtime.redis_address.sentinels import is_sentinel, parse_sentinel
from runtime.redis_address.tls import require_checked

PORT: Final = 6379
PLAIN: Final = ("redis", "rediss")
EXAMPLE: Final = "redis://user:password@host:6379/0"
SOCKET_EXAMPLE: Final = "unix:///run/redis/redis.sock?db=0"
OPTIONS: Final[Mapping[str, Callable[[str], object]]] = {
    "db": int,
    "username": str,
    "password": str,
    "socket_timeout": float,
    "socket_connect_timeout": float,
    "health_check_interval": int,
    "max_connections": int,
}
"""Options of an address with one server, and how each is read. With TLS, also those that begin with
`ssl_`."""
_RAW_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PLACE: Final = re.compile(r"(?P<hosts>[^/?#@\s]*)(?P<path>/[^?#@]*)?(?:\?(?P<query>[^#]*))?")


def as_written(url: str) -> str:
    """Return an address with its login and its path percent-encoded where they were not yet.

    `%` with two hexadecimal digits is read as an encoded character, any other as itself.

    >>> as_written("redis://:p@ss/w#rd%@host:6379/0")
    'redis://:p%40ss%2Fw%23rd%25@host:6379/0'

    Raises:
        ValueError: it is no address of a Redis; says what was expected.
    """
    scheme, separator, rest = url.strip().partition("://")
    if not separator:
        raise ValueError(f"expected an address such as {EXAMPLE}")
    if scheme == "unix":
        return f"unix://{_socket(rest)}"
    begins = f"{scheme}://"
    if scheme not in PLAIN and not is_sentinel(begins) and not is_cluster(begins):
        raise ValueError(
            "expected an address that begins with redis://, rediss://, unix://, "
            "redis+sentinel:// or redis+cluster://"
        )
    return begins + _with_login(begins, rest)


def _with_login(begins: str, rest: str) -> str:
    """Find the login: as addresses have it, or else all up to the last `@`."""
    netloc = re.split(r"[/?#]", rest, maxsplit=1)[0]
    standard = netloc.rpartition("@")[0]
    fault = ValueError(f"expected an address such as {EXAMPLE}")
    for login in dict.fromkeys((standard, rest.rpartition("@")[0])):
        place = rest[len(login) + 1 :] if login or rest.startswith("@") else rest
        try:
            _require_place(begins, place)
        except ValueError as error:
            fault = error
            continue
        return f"{_encoded_login(login)}@{place}" if login else place
    raise fault


def _require_place(begins: str, place: str) -> None:
    """Raise `ValueError` unless what follows the login is a server, a database and options."""
    found = _PLACE.fullmatch(place)
    if found is None:
        raise ValueError(
            "expected user:password@host; a # behind the host, or a second @, has no meaning"
        )
    if is_sentinel(begins):
        parse_sentinel(begins + place)
    elif is_cluster(begins):
        parse_cluster(begins + place)
    else:
        if "," in found["hosts"]:
            raise ValueError("several hosts need redis+sentinel:// or redis+cluster://")
        if found["hosts"]:  # otherwise this machine
            read_hosts(found["hosts"], PORT, EXAMPLE)
        _require_database((found["path"] or "").removeprefix("/"), EXAMPLE)
        _require_options(found["query"] or "", secured=begins.startswith("rediss"))
    require_checked(begins + place)


def _require_database(text: str, example: str) -> None:
    if text and not (text.isascii() and text.isdigit()):
        raise ValueError(f"expected the number of a database at the end: {example}")


def _require_options(query: str, *, secured: bool) -> None:
    known = f"an address takes the options {', '.join(OPTIONS)}"
    if query and "=" not in query:
        raise ValueError(f"expected name=value after the ?; {known}")
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name.startswith("ssl_"):
            if not secured:
                raise ValueError("an option that begins with ssl_ needs rediss://")
            continue
        if name not in OPTIONS:
            raise ValueError(f"an option is not known; {known}, and with rediss:// ssl_...")
        try:
            OPTIONS[name](value)
        except ValueError:
            raise ValueError(f"the option {name} has a value that is not a number") from None


def _socket(rest: str) -> str:
    """A socket's path is all behind the login, but for a `?` with options that are known."""
    login, at, path = ("", "", rest) if rest.startswith("/") else rest.partition("@/")
    path = f"/{path}" if at else path
    if not path.startswith("/"):
        raise ValueError(f"expected the whole path of a socket: {SOCKET_EXAMPLE}")
    before, question, query = path.rpartition("?")
    if question and "=" in query and query.partition("=")[0] in OPTIONS:
        _require_options(query, secured=False)
        path = before
    else:
        question = query = ""
    return f"{_encoded_login(login)}{'@' if at else ''}{_encoded(path, '/')}{question}{query}"


def _encoded_login(login: str) -> str:
    user, colon, password = login.partition(":")
    return f"{_encoded(user)}{colon}{_encoded(password)}"


def _encoded(text: str, keep: str = "") -> str:
    return quote(_RAW_PERCENT.sub("%25", text), safe=f"%{keep}")
