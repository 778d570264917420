"""People who come and go at a dashboard: streams, walls and questions, for as long as asked."""

from __future__ import annotations

import multiprocessing
import random
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from typing import Any, Final
from urllib.parse import urlsplit

from benchmarks.system import System

VIEWERS: Final = 5
WATCHES_S: Final = (3.0, 40.0)
RESTS_S: Final = (1.0, 20.0)
STREAMED_SHARE: Final = 0.7
CHUNK: Final = 1 << 16


class Audience:
    """How many watch right now, and how often somebody was turned away."""

    def __init__(self) -> None:
        self._watching: Any = multiprocessing.Value("i", 0)
        self._refused: Any = multiprocessing.Value("i", 0)
        self._visits: Any = multiprocessing.Value("i", 0)

    def counts(self) -> dict[str, int]:
        """Watching now; visits and failed ones so far."""
        return {
            "watching": self._watching.value,
            "visits": self._visits.value,
            "failed": self._refused.value,
        }

    def visit(self, address: str, path: str, headers: Mapping[str, str], seconds: float) -> None:
        """Read a page or a stream for so long at most; the dashboard may end meanwhile."""
        with self._visits.get_lock():
            self._visits.value += 1
        with self._watching.get_lock():
            self._watching.value += 1
        try:
            _read(address, path, headers, seconds)
        except (OSError, HTTPException):
            with self._refused.get_lock():
                self._refused.value += 1
        finally:
            with self._watching.get_lock():
                self._watching.value -= 1


@contextmanager
def viewers(system: System, camera_ids: Sequence[str], seed: int) -> Iterator[Audience]:
    """Some viewers in a process of their own, who come and go."""
    audience = Audience()
    arguments = (audience, system.url, system.authorization(), list(camera_ids), seed)
    process = multiprocessing.Process(target=_come_and_go, args=arguments, daemon=True)
    process.start()
    try:
        yield audience
    finally:
        process.kill()
        process.join()


def _come_and_go(
    audience: Audience, url: str, headers: Mapping[str, str], camera_ids: list[str], seed: int
) -> None:
    def be_one(number: int) -> None:
        dice = random.Random(seed * 1000 + number)  # noqa: S311 - not a secret
        while True:
            time.sleep(dice.uniform(*RESTS_S))
            path = _choose(dice, camera_ids)
            audience.visit(urlsplit(url).netloc, path, headers, dice.uniform(*WATCHES_S))

    people = [threading.Thread(target=be_one, args=(number,)) for number in range(VIEWERS)]
    for person in people:
        person.start()


def _choose(dice: random.Random, camera_ids: Sequence[str]) -> str:
    camera = dice.choice(camera_ids)
    streams = [f"/cameras/{camera}/stream.mjpg", f"/wall/stream?cameras={','.join(camera_ids)}"]
    questions = [
        "/api/v1/cameras",
        "/api/v1/compliance?step=60",
        f"/api/v1/cameras/{camera}/people?limit=100",
        f"/cameras/{camera}/snapshot.jpg",
        "/metrics",
    ]
    return dice.choice(streams if dice.random() < STREAMED_SHARE else questions)


def _read(address: str, path: str, headers: Mapping[str, str], seconds: float) -> None:
    connection = HTTPConnection(address, timeout=10)
    ends_s = time.monotonic() + seconds
    try:
        connection.request("GET", path, headers=dict(headers))
        answer = connection.getresponse()
        if answer.status not in {200, 204, 404}:
            raise HTTPException(f"{answer.status} from {path.partition('?')[0]}")
        while time.monotonic() < ends_s and answer.read1(CHUNK):
            pass
    finally:
        connection.close()
