"""Notes every packet that a host sends on its link, and names that it looks up. Needs root."""

from __future__ import annotations

import ctypes
import ipaddress
import os
import socket
import struct
import threading
from collections import Counter
from collections.abc import Set
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Final, Self

EVERYTHING: Final = 3
"""ETH_P_ALL (linux/if_ether.h)."""
OUTGOING: Final = 4
"""PACKET_OUTGOING (linux/if_packet.h): what goes to the host, not what comes from it."""
IPV4: Final = 0x0800
ARP: Final = 0x0806
IPV6: Final = 0x86DD
TCP: Final = 6
UDP: Final = 17
KERNELS: Final = {0, 58}
"""Next headers of IPv6 by which a kernel finds its neighbours (ICMPv6, hop-by-hop options)."""
DNS_PORT: Final = 53
NAMESPACES: Final = Path("/run/netns")
"""Where `ip netns` keeps them."""
CLONE_NEWNET: Final = 0x40000000
"""Of setns(2): a network namespace."""


class Eavesdropper:
    """Listens at the far end of a host's link, in the network namespace where that is."""

    def __init__(self, namespace: str, link: str) -> None:
        # A socket stays where it was opened. Only this short-lived thread goes there.
        with ThreadPoolExecutor(1) as there:
            self._socket = there.submit(_opened_in, namespace, link).result()
        self._thread = threading.Thread(target=self._listen, name="eavesdropper", daemon=True)
        self._ended = threading.Event()
        self._spoken_to: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._socket.close()

    @property
    def packets(self) -> int:
        """How many were heard."""
        return self._spoken_to.total()

    def strangers(self, known: Set[str]) -> list[str]:
        """Whom the host spoke to besides `known` (`address:port`), and how often."""
        hosts = {one.rpartition(":")[0] for one in known}
        spoken_to = sorted(self._spoken_to.items())
        return [f"{whom} ({n}x)" for whom, n in spoken_to if whom not in known | hosts]

    def _listen(self) -> None:
        while not self._ended.is_set():
            try:
                frame, about = self._socket.recvfrom(65536)
            except TimeoutError:
                continue
            if about[2] != OUTGOING and (whom := addressee(frame)):
                self._spoken_to[whom] += 1


def _opened_in(namespace: str, link: str) -> socket.socket:
    """Take this thread into a network namespace, and open a socket that hears a link there."""
    libc = ctypes.CDLL(None, use_errno=True)  # os.setns is Python 3.12's
    with (NAMESPACES / namespace).open() as door:
        if libc.setns(door.fileno(), CLONE_NEWNET):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), namespace)
    heard = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(EVERYTHING))
    heard.bind((link, 0))
    heard.settimeout(0.2)
    return heard


def addressee(frame: bytes) -> str:
    """Whom an Ethernet frame is for; of a name look-up the name. Empty for a kernel's own."""
    kind, packet = struct.unpack_from("!H", frame, 12)[0], frame[14:]
    if kind == ARP:
        return str(ipaddress.IPv4Address(packet[24:28]))
    if kind == IPV4:
        header = (packet[0] & 15) * 4
        return _over_ip(ipaddress.IPv4Address(packet[16:20]), packet[9], packet[header:])
    if kind == IPV6 and packet[6] not in KERNELS:
        return _over_ip(ipaddress.IPv6Address(packet[24:40]), packet[6], packet[40:])
    return "" if kind == IPV6 else f"protocol {kind:#06x}"


def _over_ip(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, protocol: int, segment: bytes
) -> str:
    if protocol not in (TCP, UDP):
        return f"{address} (protocol {protocol})"
    port = struct.unpack_from("!H", segment, 2)[0]
    if protocol == UDP and port == DNS_PORT:
        return f"look-up of {_name_asked(segment[20:])}"
    return f"{address}:{port}"


def _name_asked(question: bytes) -> str:
    """The name in the first question of a DNS message (RFC 1035, 4.1.2)."""
    labels, at = [], 0
    while at < len(question) and (length := question[at]):
        labels.append(question[at + 1 : at + 1 + length].decode("ascii", "replace"))
        at += 1 + length
    return ".".join(labels)
