"""Which hosts and files a camera's address may reach, whatever it resolves or redirects to."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from contract.addresses import IpAddress, is_never_connected_to, meant
from contract.errors import (
    SourceForbiddenError,
    SourceHostNotFoundError,
    SourceNotFoundError,
)
from contract.settings import Settings

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Sequence[str]]


def resolve(host: str, port: int) -> list[str]:
    """Return the IP addresses of a host, in the system's order. Raises OSError or UnicodeError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True)
class Reach:
    """What may be reached. Addresses are judged, never names: a name can change its mind.

    allowed: if not empty, only these networks. refused: none of these, even if allowed. folders:
    if not empty, files in these folders only.
    """

    allowed: tuple[Network, ...] = ()
    refused: tuple[Network, ...] = ()
    folders: tuple[Path, ...] = ()
    resolve: Resolve = resolve

    @classmethod
    def of(cls, settings: Settings) -> Reach:
        """Return what the settings allow."""
        return cls(
            tuple(map(_network, _parts(settings.source_hosts_allowed))),
            tuple(map(_network, _parts(settings.source_hosts_refused))),
            tuple(map(Path, _parts(settings.source_folders))),
        )

    def addresses(self, host: str, port: int) -> list[str]:
        """Return the IP addresses of `host` to connect to, which must be used as they are.

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
                f"the host name {host or '(none)'} is unknown here; check its spelling, or use its "
                "IP"
            )
        for address in found:
            self._check(host, ipaddress.ip_address(address.partition("%")[0]))
        return found

    def file(self, path: str) -> Path:
        """Return a file's real path, which must be used as it is.

        Raises:
            SourceNotFoundError: there is no such file.
            SourceForbiddenError: it is a device or a pipe, or lies outside the folders.
        """
        try:
            real = Path(path).resolve()
        except (OSError, RuntimeError):
            raise SourceForbiddenError(f"{path} is a symbolic link that leads to itself") from None
        folders = [folder.resolve() for folder in self.folders]
        # First, so that nobody learns from the answer which files exist elsewhere.
        if folders and not any(real.is_relative_to(folder) for folder in folders):
            raise SourceForbiddenError(
                f"{path} lies outside the folders that videos are played from; put it into one of "
                f"{', '.join(map(str, self.folders))} (MASKWATCH_SOURCE_FOLDERS)"
            )
        if not real.exists():
            raise SourceNotFoundError(f"there is no file {path} on the ingest machine")
        if not real.is_file():
            raise SourceForbiddenError(f"{path} is no video file, but a folder, device or pipe")
        return real

    def _check(self, host: str, address: IpAddress) -> None:
        if is_never_connected_to(address):
            raise SourceForbiddenError(
                f"{_both(host, address)} is no camera's address, and is never connected to"
            )
        for one in meant(address):
            if any(one in network for network in self.refused):
                raise SourceForbiddenError(
                    f"{_both(host, address)} is among the addresses that this system may not "
                    "connect to (MASKWATCH_SOURCE_HOSTS_REFUSED)"
                )
            if self.allowed and not any(one in network for network in self.allowed):
                raise SourceForbiddenError(
                    f"{_both(host, address)} is not among the addresses that cameras have here; "
                    "ask an administrator to add it (MASKWATCH_SOURCE_HOSTS_ALLOWED)"
                )


def _parts(setting: str) -> list[str]:
    return [part for part in map(str.strip, setting.split(",")) if part]


def _network(part: str) -> Network:
    return ipaddress.ip_network(part, strict=False)


def _both(host: str, address: IpAddress) -> str:
    return host if host == str(address) else f"{host} ({address})"
