"""Which addresses a channel may call.

Receivers in control rooms are on the local network, so a channel may call private addresses and
this machine's own. It may not call the addresses at which clouds hand out credentials, or addresses
that belong to no host: no receiver lives there, and Maskwatch must not fetch an answer from there.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

from contract.cameras.addresses import is_never_connected_to, meant
from contract.errors import ChannelError


def connect(host: str, port: int, timeout_s: float) -> socket.socket:
    """Return a connection to `host`, at an address that was checked; do not resolve the name again.

    Raises:
        ChannelError: the name is unknown, or a channel may not call one of its addresses.
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
    """Return the addresses of `host`; raise `ChannelError` if one of them may not be called."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        raise ChannelError(f"the host name {host} is unknown; check the name and the DNS") from None
    addresses = [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    for address in addresses:
        if not may_be_called(address):
            raise ChannelError(
                f"channels may not call {host} ({address}): the address is reserved, or hands out "
                "credentials of this machine"
            )
    return list(dict.fromkeys(addresses))


def may_be_called(address: IPv4Address | IPv6Address) -> bool:
    """Whether a message may go to this address."""
    odd = is_never_connected_to(address)
    return not (odd or any(one.is_link_local for one in meant(address)))
