"""What an operator, a monitoring system and a program are told while something is wrong."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import requests

from benchmarks.system import System

LOOK_EVERY_S: Final = 0.7
LONGEST_WAIT_S: Final = 30.0


@dataclass(frozen=True)
class Answer:
    """One answer of the dashboard."""

    path: str
    status: int
    """0 where none came."""
    kind: str
    """`error`, and `cause` where there is one."""
    words: str
    retry_after: str
    took_s: float


@dataclass
class Witness:
    """Asks the dashboard the same four things again and again."""

    system: System
    headers: dict[str, str]
    answers: list[Answer] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask, args=(path, accept), daemon=True)
            for path, accept in (
                ("/healthz", "application/json"),
                ("/api/v1/cameras", "application/json"),
                ("/", "text/html"),
                ("/metrics", "text/plain"),
            )
        ]

    def __enter__(self) -> Witness:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, path: str, accept: str) -> None:
        while not self._over.wait(LOOK_EVERY_S):
            self.answers.append(self._answer(path, accept))

    def _answer(self, path: str, accept: str) -> Answer:
        began_s = time.monotonic()
        try:
            answer = requests.get(
                self.system.url + path,
                headers={**self.headers, "Accept": accept},
                timeout=LONGEST_WAIT_S,
            )
        except requests.RequestException as error:
            took_s = time.monotonic() - began_s
            return Answer(path, 0, type(error).__name__, "", "", took_s)
        took_s = time.monotonic() - began_s
        kind, words = "", ""
        if path == "/metrics":
            lines = answer.text.splitlines()
            words = next((one for one in lines if one.startswith("maskwatch_redis_up ")), "")
        elif accept == "application/json" and answer.status_code != 200:
            body = answer.json()
            kind = " ".join(filter(None, (body.get("error"), body.get("cause"))))
            words = str(body.get("detail", ""))
        retry = answer.headers.get("Retry-After", "")
        return Answer(path, answer.status_code, kind, words, retry, took_s)

    def of(self, path: str) -> list[Answer]:
        """The answers from one path."""
        return [answer for answer in self.answers if answer.path == path]

    def slowest_s(self) -> float:
        """The longest anybody had to wait for an answer."""
        return max((answer.took_s for answer in self.answers), default=0.0)

    def show(self) -> None:
        """Print what came how often."""
        seen = Counter((a.path, a.status, a.kind, a.words, a.retry_after) for a in self.answers)
        for (path, status, kind, words, retry), times in sorted(seen.items()):
            again = f", Retry-After {retry}" if retry else ""
            print(f"  {times:3} x {path} {status} {kind}{again} {words}")
        print(f"  slowest answer {self.slowest_s():.1f} s")
