"""TLS faults behind errors of Redis' client."""

from __future__ import annotations

import ssl

from runtime.redis_address.tls import tls_fault


def test_a_tls_fault_is_found_behind_other_errors() -> None:
    fault, shown = ssl.SSLError("no"), ConnectionError("lost")
    shown.__cause__ = OSError("closed")
    shown.__cause__.__context__ = fault
    assert tls_fault(shown) is fault
    assert tls_fault(ConnectionError("lost")) is None


def test_errors_in_a_circle_hide_no_tls_fault() -> None:
    first, second = ConnectionError("lost"), ConnectionError("lost again")
    first.__context__, second.__context__ = second, first
    assert tls_fault(first) is None
