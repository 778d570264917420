"""F: what the workers pay for 1 to 100 viewers of a camera's MJPEG stream.

python -m benchmarks.viewers [--viewers 1 10 100] [--seconds 8] [--repetitions 3]

One camera plays the concourse clip, 8 frames a second analysed, its page's picture drawn for
whoever watches. The numbers of viewers take turns; all of them are sockets in one process that
reads and throws away. A picture is drawn once, however many look at it.
"""

from __future__ import annotations

import argparse
import multiprocessing
import selectors
import socket
import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Final
from urllib.parse import urlsplit

from benchmarks.scenes.films import concourse
from benchmarks.speed.load import Meter, Span, film_cameras, spread, wait_for_pictures
from benchmarks.system import System, machine, print_result, running_system

SETTLE_S: Final = 3.0
CHUNK: Final = 1 << 18
TARGET: Final = 1.1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    spans: dict[int, list[Span]] = {number: [] for number in sorted(options.viewers)}
    received: dict[int, float] = {}
    with running_system(film_cameras({"film": concourse()})) as system:
        cameras = system.cameras()
        wait_for_pictures(system, cameras)
        for _ in range(options.repetitions):
            for number, found in spans.items():
                with watching(system, cameras[0].id, number) as viewers:
                    meter = Meter(system, cameras)
                    time.sleep(options.seconds)
                    found.append(meter.span())
                    received[number] = viewers.leave()
    show(spans, received)
    report(spans)


def show(spans: Mapping[int, list[Span]], received: Mapping[int, float]) -> None:
    """Print what each number of viewers cost."""
    print(f"{machine()}\nviewers  worker ms a frame        dashboard cores         MB/s a viewer")
    for number, found in spans.items():
        worker = spread([span.cpu_ms(["worker"]) for span in found])
        dashboard = spread([span.cpu_s["dashboard"] / span.seconds for span in found])
        print(f"{number:7}  {worker:24} {dashboard:24} {received[number] / number / 1e6:.2f}")


def report(spans: Mapping[int, list[Span]]) -> None:
    """Print the ratio of most viewers to fewest."""
    fewest, most = min(spans), max(spans)
    one, many = (
        statistics.median(span.cpu_ms(["worker"]) for span in spans[number])
        for number in (fewest, most)
    )
    ratio = many / one
    title = f"F1 CPU of the worker a frame, {most} viewers over {fewest}"
    print_result(title, round(ratio, 2), "times", f"<= {TARGET:g}", ratio <= TARGET)
    cores = statistics.median(span.cpu_s["dashboard"] / span.seconds for span in spans[most])
    print_result(f"F2 dashboard with {most} viewers", round(cores, 2), "cores", "none", True)


class Viewers:
    """Sockets that read a stream, in a process of their own."""

    def __init__(self, system: System, camera_id: str, number: int) -> None:
        self._here, there = multiprocessing.Pipe()
        path = f"/cameras/{camera_id}/stream.mjpg"
        arguments = (there, system.url, path, system.authorization(), number)
        self._process = multiprocessing.Process(target=_view, args=arguments, daemon=True)
        self._process.start()
        self._here.recv()

    def leave(self) -> float:
        """Hang up; return the bytes a second that all of them got."""
        self._here.send("leave")
        rate: float = self._here.recv()
        self._process.join(10)
        return rate


@contextmanager
def watching(system: System, camera_id: str, number: int) -> Iterator[Viewers]:
    """So many viewers, settled."""
    viewers = Viewers(system, camera_id, number)
    time.sleep(SETTLE_S)
    yield viewers


def _view(pipe: Connection, url: str, path: str, headers: Mapping[str, str], number: int) -> None:
    address = urlsplit(url)
    assert address.hostname
    assert address.port
    lines = [f"GET {path} HTTP/1.1", f"Host: {address.netloc}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    request = "\r\n".join([*lines, "", ""]).encode()
    with selectors.DefaultSelector() as selector:
        for _ in range(number):
            viewer = socket.create_connection((address.hostname, address.port), 30)
            viewer.sendall(request)
            selector.register(viewer, selectors.EVENT_READ)
        pipe.send("connected")
        began_s, received = time.monotonic(), 0
        while not pipe.poll():
            for key, _ in selector.select(0.2):
                assert isinstance(key.fileobj, socket.socket)
                data = key.fileobj.recv(CHUNK)
                if not data:
                    raise SystemExit("the dashboard hung up on a viewer")
                received += len(data)
        pipe.send(received / (time.monotonic() - began_s))


if __name__ == "__main__":
    main()
