"""Decides which hosts and files a camera's address may reach, also after redirects."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from contract.cameras.addresses import IpAddress, is_never_connected_to, meant
from contract.errors import (
    SourceForbiddenError,
    SourceHostNotFoundError,
)
from ingest.reach.files import FileReach
from runtime.settings import Settings

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Sequence[str]]


def resolve(host: str, port: int) -> list[str]:
    """Return the IP addresses of a host, in the system's order. Raises OSError or UnicodeError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True)
class Reach:
    """The hosts and files that cameras may reach. Judges IP addresses, because names can change.

    allowed: if not empty, only these networks. refused: none of these, even if allowed.
    files: which of this machine's files.
    """

    allowed: tuple[Network, ...] = ()
    refused: tuple[Network, ...] = ()
    files: FileReach = field(default_factory=FileReach)
    resolve: Resolve = resolve

    @classmethod
    def of(cls, settings: Settings) -> Reach:
        """Return what the settings allow."""
        return cls(
            tuple(map(_network, _parts(settings.source_hosts_allowed))),
            tuple(map(_network, _parts(settings.source_hosts_refused))),
            FileReach.of(settings),
        )

    def addresses(self, host: str, port: int) -> list[str]:
        """Return the checked IP addresses of `host`. Connect to these without resolving again.

        Raises:
            SourceHostNotFoundError: the name is unknown.
            SourceForbiddenError: one of its addresses may not be reached.
        """
        try:
            # An empty name would resolve to this machine.
            found = list(self.resolve(host, port)) if host else []
        except (OSError, UnicodeError):
            found = []
        if not found:
            raise SourceHostNotFoundError(
                f"the host name {host or '(none)'} is unknown; check its spelling, or use its IP"
            )
        for address in found:
            self._check(host, ipaddress.ip_address(address.partition("%")[0]))
        return found

    def _check(self, host: str, address: IpAddress) -> None:
        if is_never_connected_to(address):
            raise SourceForbiddenError(
                f"{_both(host, address)} can never be a camera's address; enter another"
            )
        for one in meant(address):
            if any(one in network for network in self.refused):
                raise SourceForbiddenError(
                    f"{_both(host, address)} is forbidden on this system "
                    "(MASKWATCH_SOURCE_HOSTS_REFUSED)"
                )
            if self.allowed and not any(one in network for network in self.allowed):
                raise SourceForbiddenError(
                    f"{_both(host, address)} is not an allowed address of cameras; "
                    "ask an administrator to add it (MASKWATCH_SOURCE_HOSTS_ALLOWED)"
                )


def _parts(setting: str) -> list[str]:
    return [part for part in map(str.strip, setting.split(",")) if part]


def _network(part: str) -> Network:
    return ipaddress.ip_network(part, strict=False)


def _both(host: str, address: IpAddress) -> str:
    return host if host == str(address) else f"{host} ({address})"
