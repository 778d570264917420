"""Which addresses a channel may call.

Control rooms' receivers are on the local network, so private addresses and this machine's own are
allowed. Refused are those at which clouds hand out credentials, and those that are no
host's: nobody has a receiver there, and an answer from there must not be fetched.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

from contract.cameras.addresses import is_never_connected_to, meant
from contract.errors import ChannelError


def connect(host: str, port: int, timeout_s: float) -> socket.socket:
    """Return a connection to `host`, to an address that was looked at: none is looked up again.

    Raises:
        ChannelError: the name is unknown, or an address of it may not be called.
        OSError: none of its addresses can be reached.
    """
    failure: OSError | None = None
    for address in allowed_addresses(host, port):
        try:
            return socket.create_connection((str(address), port), timeout_s)
        except OSError as error:
            failure = error
    raise failure or OSError("no address")


def allowed_addresses(host: str, port: int) -> list[IPv4Address | IPv6Address]:
    """The addresses of `host`; raises `ChannelError` when one of them may not be called."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        raise ChannelError(f"no host is called {host}; check the name and the DNS") from None
    addresses = [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    for address in addresses:
        if not may_be_called(address):
            raise ChannelError(
                f"{host} is {address}, which is not called: it is reserved, or hands out "
                "credentials of this machine"
            )
    return list(dict.fromkeys(addresses))


def may_be_called(address: IPv4Address | IPv6Address) -> bool:
    """Whether a message may go to this address."""
    odd = is_never_connected_to(address)
    return not (odd or any(one.is_link_local for one in meant(address)))
