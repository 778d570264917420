"""What a publish and a commit cost, and what they cost in another checkout (ADR 0044).

python -m benchmarks.script_cost [--before CHECKOUT] [--redis PROGRAM] [--rounds 6]

Publishes a frame and commits its outcome, over and over, as ingest and worker do: four faces, a
tracker's state of four people, pictures of 40 kB. The two checkouts take turns at one Redis, so
that what else the machine does meets both. Prints microseconds of processor time a call, of the
client and of Redis, the median of the rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from redis import Redis

FRAME_MS: Final = 27.9
"""Processor time of a frame from end to end (`against_limit` in benchmarks/README.md)."""
CALLS: Final = 1500
WARM_UP: Final = 100
ROOT: Final = Path(__file__).resolve().parents[1]
PICTURE: Final = bytes(range(256)) * 160

Costs = dict[str, dict[str, float]]
"""Microseconds a call, by operation, of `client` and `redis`."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, help="another checkout")
    parser.add_argument("--redis", default="redis-server", help="the server's program")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--measure", metavar="SOCKET", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure)))
        return
    checkouts = {"after": ROOT, **({"before": options.before} if options.before else {})}
    rounds: dict[str, list[Costs]] = {name: [] for name in checkouts}
    with tempfile.TemporaryDirectory() as folder, Server(options.redis, Path(folder)) as server:
        for _ in range(options.rounds):
            for name, checkout in checkouts.items():
                rounds[name].append(measured_by(checkout, server.socket))
        print(f"Redis {server.client.info('server')['redis_version']}")
    report({name: median(found) for name, found in rounds.items()})


class Server:
    """A Redis of this measurement's own, writing its file as `maskwatch run` has it."""

    def __init__(self, program: str, folder: Path) -> None:
        self.socket = f"{folder}/redis.sock"
        self.client = Redis(unix_socket_path=self.socket)
        plain = ["--port", "0", "--unixsocket", self.socket, "--dir", str(folder), "--save", ""]
        # By this name, whatever the file is called: see tests/servers/redis_server.py.
        self._command = ["redis-server", *plain, "--appendonly", "yes"]
        self._program = program

    def __enter__(self) -> Server:
        self._process = subprocess.Popen(
            self._command, executable=self._program, stdout=subprocess.DEVNULL
        )
        for _ in range(200):
            if Path(self.socket).exists():
                return self
            time.sleep(0.05)
        raise TimeoutError("Redis did not start within 10 s")

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self._process.terminate()
        self._process.wait()


def measured_by(checkout: Path, socket: str) -> Costs:
    """What a process says that runs this file with the code of `checkout`."""
    command = [sys.executable, __file__, "--measure", socket]
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    done = subprocess.run(
        command, cwd=checkout, env=environment, check=True, capture_output=True, text=True
    )
    found: Costs = json.loads(done.stdout)
    return found


def measure(socket: str) -> Costs:
    """Measure the code that this process imports."""
    from bus.members.leases import LeaseStore
    from bus.stores.frames import FramePublisher
    from bus.stores.outcomes import OutcomeStore
    from contract.people.minutes import MinuteIncrements
    from contract.people.totals import Increments

    redis = Redis(unix_socket_path=socket)
    redis.flushall()
    ingest = LeaseStore(redis, "ingest", "ingest-1", 600.0).acquire("c0ffee")
    worker = LeaseStore(redis, "worker", "worker-1", 600.0).acquire("c0ffee")
    assert ingest is not None
    assert worker is not None
    publisher, store = FramePublisher(redis, ingest, 4), OutcomeStore(redis)

    def publish(number: int) -> None:
        counts, minutes = Increments(), MinuteIncrements()
        counts.add("dropped:not_sampled", 2.0)
        now_s = time.time()
        publisher.publish(PICTURE, now_s - 0.04, now_s, 3, counts, minutes)

    def commit(number: int) -> None:
        store.commit(worker, outcome_of(number + 1))

    return {"publish": cost(redis, publish), "commit": cost(redis, commit)}


def outcome_of(sequence: int) -> Any:
    """A frame with four faces, as the worker commits it."""
    from contract.people.faces import Face, FrameFaces
    from contract.people.minutes import ANALYSED_MS, FACES, FRAMES, MinuteIncrements
    from contract.people.outcomes import Outcome
    from contract.people.totals import AGE_BUCKETS_S, Increments, age_field

    at_s = time.time()
    increments, minutes = Increments(), MinuteIncrements()
    increments.add("frames:analysed")
    increments.observe(age_field("analysed"), AGE_BUCKETS_S, 0.0812345)
    for column, amount in ((FRAMES, 1), (FACES, 4), (ANALYSED_MS, 125)):
        minutes.add(at_s, column, amount)
    box = (100.25, 80.5, 164.125, 161.0625)
    faces = tuple(Face(box, 0.9123456, "mask", 0.98, number) for number in range(4))
    track = {"box": box, "votes": [0.123456789] * 12, "since": at_s, "velocity": [0.1] * 4}
    return Outcome(
        sequence=sequence,
        explained=1,
        increments=increments,
        tracker_state=json.dumps({"v": 1, "tracks": [track] * 4}),
        faces=FrameFaces("c0ffee", sequence, sequence, at_s, at_s, 1920, 1080, "yunet", faces),
        annotated_jpeg=PICTURE,
        minutes=minutes,
    )


def cost(redis: Redis, call: Callable[[int], None]) -> dict[str, float]:
    for number in range(WARM_UP):
        call(number)
    client_s, redis_s = time.process_time(), used_s(redis)
    for number in range(WARM_UP, WARM_UP + CALLS):
        call(number)
    spent = {"client": time.process_time() - client_s, "redis": used_s(redis) - redis_s}
    return {who: seconds / CALLS * 1e6 for who, seconds in spent.items()}


def used_s(redis: Redis) -> float:
    found: Any = redis.info("cpu")
    return float(found["used_cpu_user"] + found["used_cpu_sys"])


@dataclass(frozen=True)
class Row:
    """One operation in one checkout, microseconds of processor time."""

    client: float
    redis: float

    @property
    def both(self) -> float:
        return self.client + self.redis


def median(rounds: list[Costs]) -> dict[str, Row]:
    return {
        name: Row(*(statistics.median(one[name][who] for one in rounds) for who in ROLES))
        for name in rounds[0]
    }


ROLES: Final = ("client", "redis")


def report(found: dict[str, dict[str, Row]]) -> None:
    for checkout, rows in found.items():
        for name, row in rows.items():
            print(f"{checkout:7} {name:8} client {row.client:6.0f} us, Redis {row.redis:6.0f} us")
    if "before" in found:
        added_us = sum(
            row.both - found["before"][name].both for name, row in found["after"].items()
        )
        for name, row in found["after"].items():
            print(f"{name}: {row.both / found['before'][name].both:.3f} times as before")
        share = added_us / 1000 / FRAME_MS
        print(f"a frame: {added_us:+.0f} us, {share:+.2%} of {FRAME_MS} ms")


if __name__ == "__main__":
    main()
