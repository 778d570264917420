"""A server that says what an attack wants to whoever connects."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


@contextmanager
def answering(answer: Callable[[str, str], str]) -> Iterator[int]:
    """Serve on this machine, a request a connection; yields the port.

    `answer` gets the request and RTSP's `CSeq` of it, which is empty for HTTP.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    viewer, _ = server.accept()
                    with viewer, suppress(OSError):
                        viewer.settimeout(5)
                        asked = viewer.recv(65536).decode("latin-1")
                        number = asked.partition("CSeq:")[2].partition("\r")[0].strip()
                        viewer.sendall(answer(asked, number).encode())

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
