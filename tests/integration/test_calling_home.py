"""The system speaks to the cameras, receivers and Redis that somebody named, and to nobody else."""

from __future__ import annotations

import struct

import pytest

from benchmarks.calling_home import listen_in
from benchmarks.hosts.eavesdropper import addressee
from benchmarks.hosts.namespaces import why_not


def test_the_whole_system_speaks_to_nobody_that_was_not_named_and_writes_in_its_folder_alone() -> (
    None
):
    if reason := why_not():
        pytest.skip(reason)
    heard = listen_in()
    assert heard.packets > 100
    assert heard.strangers == []
    assert heard.written == []


def ipv4(protocol: int, segment: bytes) -> bytes:
    header = b"\x45" + bytes(8) + bytes([protocol]) + bytes(6) + bytes([203, 0, 113, 9])
    return bytes(12) + b"\x08\x00" + header + segment


def test_packets_are_known_by_whom_they_are_for() -> None:
    to_web = struct.pack("!HH", 40000, 443) + bytes(16)
    question = bytes(12) + b"\x04home\x07example\x00\x00\x01\x00\x01"
    asked = struct.pack("!HHHH", 40000, 53, 0, 0) + question
    assert addressee(ipv4(6, to_web)) == "203.0.113.9:443"
    assert addressee(ipv4(17, asked)) == "look-up of home.example"
    assert addressee(ipv4(1, b"ping")) == "203.0.113.9 (protocol 1)"
    arp = bytes(12) + b"\x08\x06" + bytes(24) + bytes([203, 0, 113, 9])
    assert addressee(arp) == "203.0.113.9"
    assert addressee(bytes(12) + b"\x86\xdd" + bytes(6) + bytes([58]) + bytes(33)) == ""
    v6 = bytes(6) + bytes([6]) + bytes(17) + b"\x20\x01" + bytes(14) + to_web
    assert addressee(bytes(12) + b"\x86\xdd" + v6) == "2001:::443"
