"""A crowd of strangers at a dashboard, in a process of its own: what they hold, they hold for good.

A connection that the server ends is made anew at once.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import selectors
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from runtime.stopping import die_with_parent

SLOW_BODY: Final = (
    b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 60000\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\nx=1"
)
IDLE: Final = b""
NO_VERSION: Final = b"GET http://h/" + b"?key" * 2040 + b"\r\n\r\n"
"""8 kB that are no request: redacting them for the log once took half a minute."""


@contextmanager
def crowd(port: int, **numbers: int) -> Iterator[None]:
    """Have so many strangers there: `slow_bodies`, `idle`, `no_version` (one a second each)."""
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_gather, args=(port, numbers), daemon=True)
    process.start()
    time.sleep(3)  # until it is there
    try:
        yield
    finally:
        process.kill()
        process.join()


def _gather(port: int, numbers: dict[str, int]) -> None:
    die_with_parent()
    selector = selectors.DefaultSelector()
    kinds = {"slow_bodies": SLOW_BODY, "idle": IDLE}
    for kind, number in numbers.items():
        for _ in range(number if kind in kinds else 0):
            _connect(selector, port, kinds[kind])
    packet_at = 0.0
    while True:
        for key, _ in selector.select(0.2):
            _listen(selector, port, key)
        if time.monotonic() >= packet_at:
            packet_at = time.monotonic() + 1
            for _ in range(numbers.get("no_version", 0)):
                _send_once(port)


def _connect(selector: selectors.BaseSelector, port: int, opening: bytes) -> None:
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex(("127.0.0.1", port))
    selector.register(client, selectors.EVENT_WRITE, opening)


def _listen(selector: selectors.BaseSelector, port: int, key: selectors.SelectorKey) -> None:
    client = key.fileobj
    assert isinstance(client, socket.socket)
    with contextlib.suppress(OSError):
        if key.events == selectors.EVENT_WRITE:
            if key.data:
                client.send(key.data)
            selector.modify(client, selectors.EVENT_READ, key.data)
            return
        if client.recv(65536):
            return
    selector.unregister(client)
    client.close()
    _connect(selector, port, key.data)


def _send_once(port: int) -> None:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.5) as client:
        client.sendall(NO_VERSION)
