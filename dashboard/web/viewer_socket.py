"""Gives streams access to their connection's socket, which WSGI hides."""

from __future__ import annotations

import select
import socket
from typing import Any, Final

from dashboard.web.connections import connection_of

SEND_BUFFER_BYTES: Final = 256 * 1024
# How long a peer whose cable was pulled may leave what we sent unacknowledged.
UNACKNOWLEDGED_MS: Final = 10_000


class ViewerSocket:
    """The viewer's end of a stream. Without a socket (a test client) it is never gone."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self._socket: socket.socket | None = environ.get("gunicorn.socket")
        self._connection = connection_of(environ)

    def keep_short(self) -> None:
        """Count the connection as a stream, and keep its send buffer small.

        A slow viewer must skip pictures, not see old ones; the kernel would otherwise buffer
        megabytes, which is many seconds of video.

        Raises:
            BusyError: the account, or all accounts together, have reached the limit of streams.
        """
        if self._connection is not None:
            self._connection.enter("streaming")
        if self._socket is None:
            return
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        if hasattr(socket, "TCP_USER_TIMEOUT") and self._socket.family != socket.AF_UNIX:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)

    def gone(self) -> bool:
        """Whether the viewer has disconnected. A write would fail only at the second attempt."""
        if self._socket is None:
            return False
        try:
            poll = select.poll()
            poll.register(self._socket, select.POLLIN)
            return bool(poll.poll(0)) and self._socket.recv(1, socket.MSG_PEEK) == b""
        except (OSError, ValueError):
            return True
