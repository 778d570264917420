"""Connects to the addresses that a host was checked to have, and to no other."""

from __future__ import annotations

import logging
import socket
import ssl
import time
from typing import Final

from ingest.reach.reach import Reach

CONNECTING: Final = "Connecting"
CONNECTED_TO: Final = "Connected"
"""What is logged of a connection; no address, which may have a password."""
_log = logging.getLogger(__name__)


def connect(reach: Reach, host: str, port: int, limit_s: float) -> socket.socket:
    """Connect to the first of a host's checked addresses that answers, within `limit_s` in all.

    A name is looked up once: what was checked is what is connected to. The limit stays the
    connection's time-out.

    Raises:
        SourceForbiddenError, SourceHostNotFoundError: as `Reach.addresses` does.
        OSError: none of them can be connected to.
    """
    failure = OSError("no address")
    addresses = reach.addresses(host, port)
    ends_s = time.monotonic() + limit_s
    for tried, address in enumerate(addresses):
        _log.debug(CONNECTING)
        # What is left, shared by those that are left: a dead one leaves time for the next.
        share_s = (ends_s - time.monotonic()) / (len(addresses) - tried)
        try:
            made = socket.create_connection((address, port), max(share_s, 0.1))
        except OSError as error:
            failure = error
            continue
        made.settimeout(limit_s)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what is asked is asked now
        _log.debug(CONNECTED_TO)
        return made
    raise failure


def secured(connection: socket.socket, host: str) -> socket.socket:
    """Speak TLS on a connection, within its time-out. Certificates are not checked.

    Cameras sign their own, and old ones know old versions only: this keeps out who listens, not
    who pretends to be the camera.

    Raises:
        OSError: the other side does not.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context.wrap_socket(connection, server_hostname=host or None)
