"""Parses a camera's source as an operator typed it into the form that FFmpeg opens."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Final, Literal
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

from contract.cameras.file_sources import DEMO_PREFIX, NETWORK, WEBCAM
from contract.cameras.shown_addresses import LONGEST_ADDRESS
from contract.redaction import redact_url

SourceKind = Literal["rtsp", "http", "webcam", "file", "demo"]

_HOST: Final = re.compile(r"(\[[0-9a-fA-F:.%]+\]|(?=[\w.-]*?[A-Za-z.])[\w.-]+)(:\d{1,5})?\Z")
_DOTTED_HOST: Final = re.compile(r"(\[[0-9a-fA-F:.%]+\]|[\w-]+(\.[\w-]+)+|localhost)(:\d{1,5})?\Z")
_END_OF_AUTHORITY: Final = re.compile(r"[/?#]")
_ENCODED: Final = re.compile(r"(?:[^%@/?#:]|%[0-9a-fA-F]{2})*\Z")
_DEFAULT_PORTS: Final = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}


@dataclass(frozen=True)
class Address:
    """A source in the form that FFmpeg opens. `url` may contain a password: never log it."""

    kind: SourceKind
    url: str
    shown: str
    """The source as users may see it."""
    host: str = ""
    port: int = 0
    typed_login: str = field(default="", repr=False)
    """User and password as typed, which may be percent-encoded or only look like it."""

    @property
    def logins(self) -> tuple[tuple[str, str], ...]:
        """Return user and password in each way in which they can be read; none if there are none.

        A typed `100%25` is most often the password `100%`, but it may be `100%25`.
        """
        user, _, password = self.typed_login.partition(":")
        found = dict.fromkeys((self.login, (user, password)))
        return tuple(one for one in found if any(one))

    @property
    def login(self) -> tuple[str, str]:
        """Return user and password; empty if the address has none."""
        login, _, _ = urlsplit(self.url).netloc.rpartition("@")
        user, _, password = login.partition(":")
        return unquote(user), unquote(password)

    @property
    def without_login(self) -> str:
        """Return `url` as requested from its host: with the port, without user and password."""
        host = f"[{self.host.partition('%')[0]}]" if ":" in self.host else self.host
        return urlunsplit(urlsplit(self.url)._replace(netloc=f"{host}:{self.port}"))

    @property
    def encrypted(self) -> bool:
        """Whether the address uses TLS."""
        return self.url.startswith(("rtsps:", "https:"))

    def moved_to(self, location: str) -> Address:
        """Return the target of a redirect from here.

        User and password are kept for the same host only, and never from TLS to plain text.

        Raises:
            ValueError: it is not an address, or is too long.
        """
        if len(location) > LONGEST_ADDRESS:
            raise ValueError(f"an address of {len(location)} characters")
        moved = parse_source(urljoin(self.url, location))
        same = moved.host == self.host and moved.encrypted >= self.encrypted
        if moved.login == self.login:  # a location without a host
            return replace(moved, typed_login=self.typed_login)
        if not same or any(moved.login) or not any(self.login):
            return moved
        login = ":".join(quote(part, safe="") for part in self.login)
        url = moved.url.replace("://", f"://{login}@", 1)
        return replace(moved, url=url, typed_login=self.typed_login)


def parse_source(source: str) -> Address:
    """Parse a source leniently: pasted passwords may contain any symbol, encoded or not."""
    network = NETWORK.fullmatch(source)
    if network:
        return _network_address(network.group(1).lower(), network.group(2), source)
    if source.startswith(DEMO_PREFIX):
        return Address("demo", source, source)
    if WEBCAM.fullmatch(source):
        device = f"/dev/video{int(source)}" if source.isdigit() else source
        return Address("webcam", device, device)
    return Address("file", source, source)


def _network_address(scheme: str, rest: str, source: str) -> Address:
    credentials, location = _split_credentials(rest)
    end = _END_OF_AUTHORITY.search(location)
    authority = location[: end.start()] if end else location
    host, port = _split_port(authority, _DEFAULT_PORTS[scheme])
    path = location[len(authority) :].replace(" ", "%20")
    login = f"{_encoded_login(credentials)}@" if credentials else ""
    kind: SourceKind = "rtsp" if scheme.startswith("rtsp") else "http"
    url = f"{scheme}://{login}{authority}{path}"
    return Address(kind, url, redact_url(source), host, port, credentials)


def _split_credentials(rest: str) -> tuple[str, str]:
    """Return user and password as typed, and what follows them.

    The last `@` followed by a possible host separates them. An address that is complete without it
    (`10.0.0.9/live@2`) has no credentials.
    """
    if _DOTTED_HOST.match(_END_OF_AUTHORITY.split(rest, maxsplit=1)[0]):
        return "", rest
    pieces = rest.split("@")
    for number in range(len(pieces) - 1, 0, -1):
        host, *more = _END_OF_AUTHORITY.split(pieces[number], maxsplit=1)
        if _HOST.match(host) and (more or number == len(pieces) - 1):
            return "@".join(pieces[:number]), "@".join(pieces[number:])
    # Messages repeat the host's name, so an invalid host, such as an address written as one number,
    # must not pull a password into it.
    login, separator, _ = _END_OF_AUTHORITY.split(rest, maxsplit=1)[0].rpartition("@")
    return login, rest[len(login) + len(separator) :]


def _encoded_login(credentials: str) -> str:
    user, colon, password = credentials.partition(":")
    return _encoded(user) + colon + _encoded(password)


def _encoded(part: str) -> str:
    # A pasted %40 means @, unless the password also contains a bare @ or %.
    plain = unquote(part) if _ENCODED.match(part) else part
    return quote(plain, safe="")


def _split_port(authority: str, default: int) -> tuple[str, int]:
    host, colon, port = authority.rpartition(":")
    if colon and port.isdigit():
        return host.strip("[]"), int(port)
    return authority.strip("[]"), default
