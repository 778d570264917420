"""What a camera's history costs: bytes in Redis and milliseconds a query (ADR 0012).

python -m benchmarks.history_size [--days 400]

Days are drawn at random for a quiet, a busy and a crowded camera (people by the hour of the day,
8 analysed frames a second, some dropped), packed as the worker packs them, and kept in a real
Redis, which says how much memory each key takes.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from redis import Redis

from benchmarks.system import machine
from bus.connection.client import connect
from bus.keys import CameraKeys
from bus.server.embedded import EmbeddedRedis
from bus.stores.history import PACK_ABOVE_FIELDS, HistoryStore
from bus.stores.outcomes import PEOPLE_KEPT
from bus.stores.packed_days import Minutes, pack_day
from contract.cameras.camera import Camera, make_camera
from contract.people.minutes import (
    ANALYSED_MS,
    DAY_MINUTES,
    DROPPED,
    FACES,
    FRAMES,
    HISTORY_DAYS,
    MINUTE_S,
    open_field,
    people_column,
)
from contract.people.people import Person
from contract.people.verdicts import Verdict
from dashboard.web.time_range import parse_zone
from reports.report import make_report
from reports.time_range import cut

KINDS = {"quiet": 1.0, "busy": 20.0, "crowded": 60.0}
"""People a minute at the busiest time of the day."""
SHARES: dict[Verdict, float] = {"mask": 0.6, "incorrect": 0.12, "no_mask": 0.25, "unknown": 0.03}
FIRST_DAY = 20_400
CAMERAS = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=HISTORY_DAYS)
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedRedis(Path(folder))
        server.start()
        try:
            measure(connect(server.url), options.days)
        finally:
            server.stop()


def measure(redis: Redis, days: int) -> None:
    """Print memory a camera and a day, and how long queries take."""
    print(f"{'camera':8} {'people a day':>12} {'bytes a day':>12} {'1,000 cameras, 400 days':>25}")
    for kind, people_a_minute in KINDS.items():
        camera = make_camera(name=kind, source="demo:", created_at_s=0.0)
        people, size = write_days(redis, camera, people_a_minute, days)
        whole = size * CAMERAS * HISTORY_DAYS / 2**30
        print(f"{kind:8} {people:12.0f} {size:12.0f} {whole:21.2f} GiB")
        if kind == "busy":
            busy = camera
    print(f"open minutes, {PACK_ABOVE_FIELDS} amounts: {open_minutes(redis):,} bytes a camera")
    print(f"{PEOPLE_KEPT} people as rows: {people_rows(redis):,} bytes a camera")
    history, begin_s = HistoryStore(redis), FIRST_DAY * DAY_MINUTES * MINUTE_S
    for title, step_s, length in (
        ("one camera, one day by the minute", MINUTE_S, 1),
        ("one camera, 30 days by the hour", 3600, 30),
        (f"one camera, {days} days by the day", 86400, days),
    ):
        span = cut(begin_s, begin_s + length * 86400, step_s, parse_zone("Europe/Berlin"))
        took_ms = milliseconds(partial(make_report, history, [busy], {}, span, time.time()))
        print(f"query: {title}: {took_ms:.0f} ms")


def a_day(dice: np.random.Generator, people_a_minute: float) -> dict[str, Minutes]:
    """The minutes of a day, rising from a quiet night to a busy afternoon."""
    hours = np.arange(DAY_MINUTES) / 60
    rate = people_a_minute * np.clip(np.sin((hours - 5) / 19 * np.pi), 0.02, None)
    columns: dict[str, Minutes] = {
        people_column(verdict): dice.poisson(rate * share) for verdict, share in SHARES.items()
    }
    people = sum(columns.values(), np.zeros(DAY_MINUTES, np.int64))
    hiccups = dice.random(DAY_MINUTES) < 0.03
    columns[FACES] = dice.poisson(people * 5.3 * 8 * 0.8)
    columns[DROPPED] = hiccups * dice.integers(1, 6, DAY_MINUTES)
    columns[FRAMES] = 480 + dice.integers(-1, 2, DAY_MINUTES) - columns[DROPPED]
    columns[ANALYSED_MS] = 60_000 - (hiccups & (dice.random(DAY_MINUTES) < 0.2)) * dice.integers(
        1000, 3000, DAY_MINUTES
    )
    return columns


def write_days(
    redis: Redis, camera: Camera, people_a_minute: float, days: int
) -> tuple[float, float]:
    """Write a camera's days; return people and bytes of memory a day, the mean of all."""
    dice, people, size = np.random.default_rng(1), 0, 0
    names = CameraKeys(camera.id)
    for day in range(FIRST_DAY, FIRST_DAY + days):
        columns = a_day(dice, people_a_minute)
        people += sum(int(columns[people_column(verdict)].sum()) for verdict in SHARES)
        redis.set(names.day(day), pack_day(columns), ex=86400)
        size += int(redis.memory_usage(names.day(day), samples=0) or 0)
    return people / days, size / days


def open_minutes(redis: Redis) -> int:
    """Bytes of a camera's open minutes when they are about to be packed."""
    names = CameraKeys("open")
    columns = a_day(np.random.default_rng(2), KINDS["busy"])
    fields = {
        open_field(FIRST_DAY * DAY_MINUTES + minute, column): int(amounts[minute])
        for minute in range(700, 760)
        for column, amounts in columns.items()
        if amounts[minute]
    }
    redis.hset(names.minutes, mapping=dict(list(fields.items())[:PACK_ABOVE_FIELDS]))
    return int(redis.memory_usage(names.minutes, samples=0) or 0)


def people_rows(redis: Redis) -> int:
    """Bytes of a camera's rows of people when they are all there."""
    names = CameraKeys("rows")
    for number in range(PEOPLE_KEPT):
        at_s = 1.8e9 + 5.123 * number
        person = Person(number, at_s - 4.321, at_s, 31, 47.2, "mask", 0.9312, 2.417)
        redis.xadd(names.people, {"person": person.encode()})
    return int(redis.memory_usage(names.people, samples=0) or 0)


def milliseconds(action: Callable[[], object], times: int = 5) -> float:
    """Median time of an action."""
    took = []
    for _ in range(times):
        begin_s = time.perf_counter()
        action()
        took.append(1000 * (time.perf_counter() - begin_s))
    return float(np.median(took))


if __name__ == "__main__":
    main()
