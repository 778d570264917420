"""The overview of many cameras over many days: seconds, and whether its figures are the API's (L5).

python -m benchmarks.overview [--cameras 200] [--days 400]

A real Redis with packed days of random people, as the worker packs them. The first overview makes
the stored sums of each camera, as after an upgrade; the second reads them.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np
from redis import Redis

from benchmarks.history_size import a_day
from benchmarks.system import machine, print_result
from bus.connection.client import connect
from bus.keys import CameraKeys
from bus.server.embedded import EmbeddedRedis
from bus.stores.cameras import CameraRegistry
from bus.stores.history import DAY_S, HistoryStore
from bus.stores.packed_days import pack_day
from contract.cameras.camera import Camera, make_camera
from contract.errors import HistoryNotSummedError
from contract.people.verdicts import Verdict
from dashboard.web.time_range import parse_zone
from reports.periods import MOST_NEW_SUMS, PeriodSummary, summarise
from reports.report import make_report
from reports.time_range import cut

TARGET_S: Final = 1.0
DIFFERENT_DAYS: Final = 20
COMPARED: Final = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=200)
    parser.add_argument("--days", type=int, default=400)
    options = parser.parse_args()
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedRedis(Path(folder))
        server.start()
        try:
            redis = connect(server.url, "benchmark")
            measure(redis, fill(redis, options.cameras, options.days), options.days)
        finally:
            server.stop()


def fill(redis: Redis, cameras: int, days: int) -> list[Camera]:
    """Store so many cameras with packed days up to yesterday."""
    noise, today = np.random.default_rng(0), int(time.time() // DAY_S)
    blobs = [pack_day(a_day(noise, 20.0)) for _ in range(DIFFERENT_DAYS)]
    registry, found = CameraRegistry(redis), []
    for number in range(cameras):
        camera = registry.add(
            make_camera(name=f"cam {number}", source="demo:", group=f"T{number % 8}")
        )
        found.append(camera.model_copy(update={"created_at_s": (today - days) * float(DAY_S)}))
        with redis.pipeline(transaction=False) as pipeline:
            for day in range(today - days, today):
                blob = blobs[(day + number) % DIFFERENT_DAYS]
                pipeline.set(CameraKeys(camera.id).day(day), blob, exat=(day + 1 + days) * DAY_S)
            pipeline.execute()
    return found


def measure(redis: Redis, cameras: list[Camera], days: int) -> None:
    """Print the seconds of the first overview and of the next, and compare figures."""
    history, zone, now_s = HistoryStore(redis), parse_zone("Asia/Kolkata"), time.time()
    from_s = (now_s // DAY_S - days) * DAY_S

    def ask() -> PeriodSummary:
        return summarise(history, cameras, {}, from_s, now_s, zone, now_s)

    began_s, requests = time.perf_counter(), 1
    while True:
        try:
            ask()
            break
        except HistoryNotSummedError:
            requests += 1
    print(
        f"sums made once: {time.perf_counter() - began_s:.1f} s in {requests} requests of at most "
        f"{MOST_NEW_SUMS} days",
        flush=True,
    )
    began_s = time.perf_counter()
    found = ask()
    seconds = time.perf_counter() - began_s
    title = f"L5 overview of {len(cameras)} cameras and {days} days"
    print_result(title, round(seconds, 2), "s", f"< {TARGET_S:g}", seconds < TARGET_S)
    different = sum(
        one.period.people != people_of(history, one.camera, from_s, now_s)
        for one in found.cameras[:COMPARED]
    )
    print_result(
        f"L5 of {COMPARED} cameras, figures that differ from the API's",
        different,
        "cameras",
        "0",
        not different,
    )


def people_of(
    history: HistoryStore, camera: Camera, from_s: float, to_s: float
) -> dict[Verdict, int]:
    """Return what the API of compliance counts."""
    span = cut(from_s, to_s, DAY_S, parse_zone("Asia/Kolkata"))
    return make_report(history, [camera], {}, span, to_s).total.people


if __name__ == "__main__":
    main()
