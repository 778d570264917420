"""Cameras that are well, beside those that go wrong."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection

from tests.servers.faulty_camera import FaultyCamera
from tests.servers.faulty_http import FaultyHttpCamera
from tests.servers.faulty_rtsp import FaultyRtspCamera
from tests.servers.films import make_film


@contextmanager
def served_neighbours() -> Iterator[list[str]]:
    """Serve them from a process of their own; yield their addresses."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there,), daemon=True)
    process.start()
    there.close()  # so that `recv` ends if the process does
    try:
        yield here.recv()
    finally:
        process.terminate()
        process.join()


def _serve(answer: Connection) -> None:
    with ExitStack() as stack:
        film = make_film(size=(640, 360))
        servers: list[FaultyCamera] = [FaultyRtspCamera(film) for _ in range(3)]
        servers.append(FaultyHttpCamera(make_film("mjpeg", (640, 360))))
        answer.send([stack.enter_context(server).url for server in servers])
        answer.recv()  # until this process is ended
