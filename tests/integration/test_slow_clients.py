"""Strangers who hold connections for as long as they can, at the real server."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from redis import Redis

from dashboard.live.mjpeg import BOUNDARY
from tests.integration.test_dashboard_hub import FakeCamera, Feed
from tests.integration.test_dashboard_server import Server, read_until

LONG_S = 120
FORM = b"Host: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"


@contextmanager
def connected(server: Server, opening: bytes) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), LONG_S) as client:
        client.sendall(opening)
        yield client


def until_closed(client: socket.socket) -> bytes:
    received = b""
    try:
        while part := client.recv(65536):
            received += part
    except ConnectionResetError:
        pass
    return received


def test_a_body_that_does_not_come_is_answered_and_never_reaches_the_application(
    server: Server,
) -> None:
    slow = b"POST /sign-in HTTP/1.1\r\n" + FORM + b"Content-Length: 60000\r\n\r\nx=1"
    with connected(server, slow) as client:
        head, body = until_closed(client).split(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert json.loads(body)["error"] == "too_slow"


@pytest.mark.parametrize("way", [b"Content-Length: 70000", b"Transfer-Encoding: chunked"])
def test_nor_does_a_larger_one_or_one_of_unknown_length_hold_its_connection(
    server: Server, way: bytes
) -> None:
    begun = b"POST /sign-in HTTP/1.1\r\n" + FORM + way + b"\r\n\r\n5\r\nx=1&y\r\n"
    with connected(server, begun) as client:
        assert until_closed(client)[9:12] in (b"408", b"413")


@pytest.mark.parametrize("opening", [b"", b"GET /healthz HTTP/1.1\r\nHost: h", b"G"])
def test_a_head_that_does_not_come_ends_the_connection(server: Server, opening: bytes) -> None:
    with connected(server, opening) as client:
        assert until_closed(client) == b""


def test_a_connection_that_is_kept_open_ends_after_a_while(server: Server) -> None:
    with connected(server, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") as client:
        assert until_closed(client).startswith(b"HTTP/1.1 503 ")


def test_many_who_hold_connections_keep_nobody_out_and_end_no_stream(
    server: Server, redis: Redis
) -> None:
    camera = FakeCamera(redis, "Gate")
    slow = b"POST /sign-in HTTP/1.1\r\n" + FORM + b"Content-Length: 60000\r\n\r\nx=1"
    picture = b"\xff\xd9\r\n--" + BOUNDARY.encode()
    with Feed(camera), ExitStack() as crowd:
        viewer = server.open(f"/cameras/{camera.id}/stream.mjpg")
        read_until(viewer, picture)
        for opening in [slow, b""] * 1100:
            crowd.enter_context(connected(server, opening))
        assert server.open("/healthz").status == 503, "there is no worker, it says"
        wall = server.open(f"/wall/stream?cameras={camera.id}")
        assert wall.read1(1)
        for _ in range(5):
            read_until(viewer, picture)


def test_this_machine_is_not_believed_about_scheme_and_path_either(server: Server) -> None:
    asked = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/html\r\nConnection: close\r\n"
    for made_up in (b"SCRIPT_NAME: /elsewhere\r\n", b"X-Forwarded-Prefix: /elsewhere\r\n"):
        with connected(server, asked + made_up + b"\r\n") as client:
            assert b"elsewhere" not in until_closed(client)
