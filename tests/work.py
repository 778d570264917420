"""How the work of a function grows with what it is given."""

from __future__ import annotations

import gc
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.hostile_texts import Shape

TIMES = 4
"""What an input grows by from one size to the next."""
FLOOR_S = 0.01
"""CPU time under which growth is not looked at: a clock's steps and caches are seen there."""
MOST_GROWTH = 6.0
"""Of CPU time for an input four times as long. Linear is 4, quadratic 16."""
FIRST = 256
ATTEMPTS = 6
MOST_S = 5.0
"""CPU time after which a call is ended, as too slow whatever its growth: some would never end."""


class TooSlowError(BaseException):
    """A call took `MOST_S`. No `Exception`, because parsers catch those."""


@dataclass(frozen=True)
class Growth:
    """What a shape costs more when it is four times as long."""

    times: float
    shape: Shape
    length: int
    cpu_s: float

    def __str__(self) -> str:
        cost = f"{self.times:.1f} times at {self.length} characters, {self.cpu_s:.3f} s"
        return f"{cost}: {self.shape}"


def worst_growth(call: Callable[[str], Any], shapes: Iterable[Shape], longest: int) -> Growth:
    """The worst growth over all shapes; at the first that is too much it is returned at once."""
    worst = Growth(0.0, Shape("", "x"), 0, 0.0)
    for shape in shapes:
        found = growth(call, shape, longest)
        if found.times > worst.times:
            worst = found
        if worst.times > MOST_GROWTH:
            return worst
    return worst


def growth(call: Callable[[str], Any], shape: Shape, longest: int) -> Growth:
    """The growth up to `longest`, or at the first length where it can be told and is too much.

    Infinite where a call takes `MOST_S`.
    """
    length, found = FIRST * TIMES, Growth(0.0, shape, longest, 0.0)
    while length <= longest:
        try:
            cpu_s = _cpu_s(call, shape.text(length))
        except TooSlowError:
            return Growth(float("inf"), shape, length, MOST_S)
        if cpu_s >= FLOOR_S:
            found = _measured(call, shape, length)
            if found.times > MOST_GROWTH:
                return found
        length *= TIMES
    return found


def _measured(call: Callable[[str], Any], shape: Shape, length: int) -> Growth:
    """The least of several attempts: what else a machine does only ever adds."""
    short, long = shape.text(length // TIMES), shape.text(length)
    short_s = long_s = float("inf")
    for _ in range(ATTEMPTS):
        short_s = min(short_s, _cpu_s(call, short))
        long_s = min(long_s, _cpu_s(call, long))
        if long_s / max(short_s, FLOOR_S / TIMES) <= MOST_GROWTH:
            break
    return Growth(long_s / max(short_s, FLOOR_S / TIMES), shape, length, long_s)


def _cpu_s(call: Callable[[str], Any], text: str) -> float:
    gc.disable()
    try:
        with _bounded():
            began_s = time.thread_time()
            call(text)
            return time.thread_time() - began_s
    finally:
        gc.enable()


@contextmanager
def _bounded() -> Iterator[None]:
    """Raise `TooSlowError` in what takes `MOST_S` of CPU time. Only in the main thread.

    `re` looks for signals as it searches; other code in C is ended only once it returns.
    """
    before = signal.signal(signal.SIGPROF, _end)
    signal.setitimer(signal.ITIMER_PROF, MOST_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _end(*_: object) -> None:
    raise TooSlowError
