"""IP addresses that Maskwatch never connects to, for a camera or an alert, whoever entered them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Final

IpAddress = IPv4Address | IPv6Address

METADATA: Final = tuple(
    ip_network(network)
    for network in (
        "169.254.169.0/24",
        "169.254.170.0/24",
        "fd00:ec2::/32",
        "100.100.100.200/32",
        "192.0.0.192/32",
        "168.63.129.16/32",
    )
)
"""Addresses at which clouds hand out a machine's credentials to any process on it: Amazon, Google,
Azure and others; Amazon for containers, and over IPv6; Alibaba; Oracle; Azure's host (from their
manuals)."""
_THIS_NETWORK: Final = ip_network("0.0.0.0/8")
_NAT64: Final = ip_network("64:ff9b::/96")


def is_never_connected_to(address: IpAddress) -> bool:
    """Whether the address hands out credentials, or belongs to no single host (RFC 6890)."""
    return any(
        any(one in network for network in (*METADATA, _THIS_NETWORK))
        or one.is_multicast
        or one.is_unspecified
        or (one.is_reserved and not one.is_loopback)
        for one in meant(address)
    )


def meant(address: IpAddress) -> tuple[IpAddress, ...]:
    """Return the addresses that a connection to this one may reach.

    An IPv6 address can wrap an IPv4 address; the connection then reaches the IPv4 address.
    """
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return (address.ipv4_mapped,)
        if address.sixtofour:
            return (address.sixtofour,)
        if address in _NAT64:
            return (IPv4Address(int(address) & 0xFFFFFFFF),)
    return (address,)
