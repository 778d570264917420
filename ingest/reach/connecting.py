"""Connects only to the checked addresses of a host."""

from __future__ import annotations

import logging
import socket
import ssl
import time
from typing import Final

from ingest.reach.reach import Reach

CONNECTING: Final = "Connecting"
CONNECTED_TO: Final = "Connected"
"""Log message of a connection, without the address, which may contain a password."""
_log = logging.getLogger(__name__)


def connect(reach: Reach, host: str, port: int, limit_s: float) -> socket.socket:
    """Connect to the first of a host's checked addresses that answers, within `limit_s` in total.

    The name is resolved once, so the connection goes to a checked address. The limit remains the
    connection's time-out.

    Raises:
        SourceForbiddenError, SourceHostNotFoundError: as `Reach.addresses` does.
        OSError: no address accepts a connection.
    """
    failure = OSError("no address")
    addresses = reach.addresses(host, port)
    ends_s = time.monotonic() + limit_s
    for tried, address in enumerate(addresses):
        _log.debug(CONNECTING)
        # Share the remaining time among the remaining addresses, so that a dead one leaves time.
        share_s = (ends_s - time.monotonic()) / (len(addresses) - tried)
        try:
            made = socket.create_connection((address, port), max(share_s, 0.1))
        except OSError as error:
            failure = error
            continue
        made.settimeout(limit_s)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # send requests at once
        _log.debug(CONNECTED_TO)
        return made
    raise failure


def secured(connection: socket.socket, host: str) -> socket.socket:
    """Start TLS on a connection, within its time-out. Certificates are not checked.

    Cameras have self-signed certificates, and old cameras support old versions only. So TLS here
    protects against listeners, not against a host that pretends to be the camera.

    Raises:
        OSError: the other side does not speak TLS.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context.wrap_socket(connection, server_hostname=host or None)
