"""Malformed messages in Redis (result 3 of "Hard to break, easy to run").

python -m benchmarks.stream_fuzz [--entries 10000] [--records 3000]

Real frames are published, taken out of their streams, changed for the worse and put back; a real
worker with the networks that ship reads them. Then what workers, ingest and uploads leave in Redis
is changed for the worse, record by record, and read by a worker's takeover and by a dashboard over
HTTP. What is done to them is in `tests/malformed_messages.py`.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import threading
import urllib.error
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from redis import Redis

from benchmarks.system import machine, print_result, running_dashboard
from bus import keys
from bus.bus import Bus
from bus.keys import CameraKeys
from bus.picture_seal import PICTURE_FIELD, PictureSeal
from bus.stores.people import decode_rows
from bus.stores.recordings import RecordingStore
from bus.stores.status import StatusStore
from bus.stores.uploads import UploadStore
from contract.cameras.camera import Camera
from contract.cameras.status import CameraStatus
from contract.people.totals import decode_totals, dropped_field, frames_field
from contract.pictures.views import SCHEMA
from dashboard.live.board import make_board
from runtime.settings import load_settings
from tests.builders import Source, add_camera, jpeg, take_lease
from tests.malformed_messages import (
    Fields,
    broken_seal,
    huge_frame,
    mutated_frame,
    mutated_record,
)
from worker.loop import Worker
from worker.networks import Networks, load_networks
from worker.service import make_worker

AT_ONCE: Final = 8
GOOD_EVERY: Final = 25
HUGE_EVERY: Final = 500
BROKEN_SEAL_EVERY: Final = 10
HTTP_EVERY: Final = 25
READ_CAUSES: Final = ("malformed", "undecodable", "stale", "overflow")


@dataclass
class Findings:
    """What became of the entries."""

    fed: Counter[str] = field(default_factory=Counter)
    """By what was wrong with them."""
    outcomes: Counter[str] = field(default_factory=Counter)
    """Analysed, or dropped by cause."""
    crashes: list[str] = field(default_factory=list)
    good: int = 0
    good_analysed: int = 0

    @property
    def uncounted(self) -> int:
        """Entries that are neither analysed nor counted as dropped."""
        return max(0, self.fed.total() + self.good - self.outcomes.total())

    @property
    def counted_twice(self) -> int:
        """Counts beyond the entries: only a forged number can hide whose place is whose."""
        return max(0, self.outcomes.total() - self.fed.total() - self.good)


class _Owned:
    """Says that one camera is this worker's."""

    def __init__(self, camera: Camera, redis: Redis) -> None:
        self._owned = {camera.id: (camera, take_lease(redis, camera.id, "worker", "fuzz", 3600))}

    def owned(self) -> dict[str, Any]:
        return dict(self._owned)


class FedWorker:
    """A worker whose camera gets what one wants it to."""

    def __init__(self, redis: Redis, networks: Networks, picture: bytes) -> None:
        self._redis = redis
        self._seal = PictureSeal(redis)
        self._networks = networks
        self._picture = picture
        self.camera = add_camera(redis, f"Fuzzed {random.random()}")  # noqa: S311 - a name
        self._names = CameraKeys(self.camera.id)
        self._source = Source(redis, self.camera, AT_ONCE)
        redis.expire(self._names.ingest_lease, 3600)
        self._ownership: Any = _Owned(self.camera, redis)
        self.worker = self._new_worker()

    def _new_worker(self) -> Worker:
        return make_worker(
            Bus(self._redis),
            self._networks,
            self._ownership,
            threading.Event(),
            staleness_budget_s=0.5,
            max_batch=16,
        )

    def feed(self, findings: Findings, rng: random.Random, number: int) -> None:
        """Put one entry into the stream."""
        self._source.publish(data=self._picture)
        if number % GOOD_EVERY == 0:
            findings.good += 1
            return
        newest: Any = self._redis.xrevrange(self._names.frames, count=1)
        [(stream_id, fields)] = newest
        self._redis.xdel(self._names.frames, stream_id)
        if number % HUGE_EVERY == 1:
            what, changed = "a huge JPEG", self._sealed(huge_frame(self._seal.opened(fields)))
        elif number % BROKEN_SEAL_EVERY == 2:
            what, changed = "a broken seal", broken_seal(fields, rng)
        else:
            what, changed = mutated_frame(self._seal.opened(fields), rng)
            changed = self._sealed(changed)
        entry: Any = changed
        self._redis.xadd(self._names.frames, entry)
        findings.fed[what] += 1

    def _sealed(self, fields: Fields) -> Fields:
        """What is wrong with a picture is to get past the seal."""
        picture = fields.get(PICTURE_FIELD)
        sealed = {} if picture is None else {PICTURE_FIELD: self._seal.seal(picture)}
        return {**fields, **sealed}

    def step(self, findings: Findings) -> None:
        """Let the worker read what is there, and take a new one where it fell over."""
        for _ in range(AT_ONCE + 1):
            try:
                self.worker.step()
            except Exception as error:
                findings.crashes.append(f"worker: {error!r:.300}")
                self.worker = self._new_worker()
            session = self.worker._sessions.get(self.camera.id)
            if session and not session.backlog.waiting and not session.backlog.dropped:
                return

    def totals(self) -> dict[str, float]:
        raw: Any = self._redis.hgetall(self._names.totals)
        return decode_totals(raw)


def fuzz_frames(redis: Redis, networks: Networks, entries: int, seed: int = 1) -> Findings:
    """Feed `entries` frames to a worker, most of them malformed."""
    findings, rng = Findings(), random.Random(seed)  # noqa: S311 - to be repeated
    fed = FedWorker(redis, networks, jpeg())
    for number in range(entries):
        fed.feed(findings, rng, number)
        if number % AT_ONCE == AT_ONCE - 1 or number == entries - 1:
            fed.step(findings)
    # What was malformed is committed with the next frame.
    fed.feed(findings, rng, 0)
    fed.step(findings)
    totals = fed.totals()
    findings.outcomes["analysed"] = int(totals.get(frames_field("analysed"), 0))
    for cause in READ_CAUSES:
        findings.outcomes[cause] = int(totals.get(dropped_field(cause), 0))
    before = findings.outcomes["analysed"]
    fed._source.publish(data=jpeg())
    fed.step(findings)
    findings.good_analysed = int(fed.totals()[frames_field("analysed")]) - before
    return findings


@dataclass
class Readers:
    """What reads a camera's records: functions that raise when they fall over."""

    redis: Redis
    camera: Camera
    worker: Callable[[], None]

    def read_all(self) -> None:
        """Read everything about the camera as the dashboard and a new worker would."""
        json.loads(make_board(Bus(self.redis)).json(), parse_constant=_refuse)
        StatusStore(self.redis).history(self.camera.id)
        decode_rows(self.camera, self.redis.xrange(CameraKeys(self.camera.id).people))
        self.worker()


def fuzz_records(
    redis: Redis,
    networks: Networks,
    records: int,
    store: RecordingStore,
    look: Callable[[Camera, int], list[str]] = lambda camera, number: [],
    seed: int = 1,
) -> Findings:
    """Change what lies in Redis, record by record, and have all of it read; `look` reads more."""
    findings, rng = Findings(), random.Random(seed)  # noqa: S311 - to be repeated
    fed = FedWorker(redis, networks, jpeg())
    fed._source.publish(data=jpeg())
    fed.step(Findings())
    StatusStore(redis).write(fed._source.lease, CameraStatus("live", 1.7e9, 8.0, 320, 240, "h264"))
    places = _places(redis, fed.camera, store)

    def take_over() -> None:
        worker = fed._new_worker()
        fed._source.publish(data=jpeg())
        worker.step()

    readers = Readers(redis, fed.camera, take_over)
    for number in range(records):
        name, (raw, write) = list(places.items())[number % len(places)]
        what, changed = mutated_record(raw, rng)
        findings.fed[f"{name}: {what}"] += 1
        write(changed)
        try:
            readers.read_all()
            store.all()
            UploadStore(redis).find("fuzzed", "somebody")
        except Exception as error:
            findings.crashes.append(f"{name}, {what}: {error!r:.300}")
        findings.crashes += [f"{name}, {what}: {said}" for said in look(fed.camera, number)]
        write(raw)
    return findings


_VIEW: Final[dict[str, Any]] = {"v": SCHEMA, "seq": 1, "at": "1.7e9"}
Place = tuple[bytes, Callable[[bytes], Any]]


def _places(redis: Redis, camera: Camera, store: RecordingStore) -> dict[str, Place]:
    """Each kind of record, as it is written, and how to put another in its place."""
    names, made = CameraKeys(camera.id), store.create("somebody", "film.mp4")
    uploads = keys.UploadKeys("fuzzed")
    upload = b'{"v":1,"owner":"somebody","names":["a.jpg"],"result":{"images":[]}}'
    person, seal = _PERSON, PictureSeal(redis)

    def stream(name: str, field_name: str) -> Callable[[bytes], Any]:
        return lambda raw: (redis.delete(name), redis.xadd(name, {field_name: raw}))

    def view(raw: bytes) -> None:
        redis.delete(names.view)
        entry: Any = {**_VIEW, "jpeg": seal.seal(jpeg()), "faces": raw}
        redis.xadd(names.view, entry)

    return {
        "faces": (_stored(redis, names.latest), lambda raw: redis.set(names.latest, raw)),
        "status": (_stored(redis, names.status), lambda raw: redis.set(names.status, raw)),
        "tracker": (_stored(redis, names.tracker), lambda raw: redis.set(names.tracker, raw)),
        "condition": (
            _stored_in(redis, names.condition, "state"),
            lambda raw: redis.hset(names.condition, "state", raw),
        ),
        "quality": (
            _stored_in(redis, names.condition, "report"),
            lambda raw: redis.hset(names.condition, "report", raw),
        ),
        "position": (b"[1,1]", lambda raw: redis.set(names.position, raw)),
        "person": (person, stream(names.people, "person")),
        "connection": (b'{"v":1}', stream(names.connections, "state")),
        "view": (b'{"mask":1}', view),
        "recording": (
            _stored(redis, keys.recording(made.id)),
            lambda raw: redis.set(keys.recording(made.id), raw),
        ),
        "upload": (upload, lambda raw: redis.set(uploads.record, raw)),
    }


_PERSON: Final = json.dumps(
    {
        "track_id": 1,
        "first_seen_s": 1.7e9,
        "last_seen_s": 1.7e9,
        "sightings": 3,
        "best_face_px": 40.0,
        "verdict": "mask",
        "confidence": 0.9,
        "judged_s": 1.0,
        "crossings": [{"at_s": 1.7e9, "line": "door", "direction": "in"}],
        "zones": ["hall"],
        "changes": [{"at_s": 1.7e9, "before": "mask", "after": "no_mask"}],
        "v": 1,
    }
).encode()


def _stored(redis: Redis, name: str) -> bytes:
    raw: Any = redis.get(name)
    return bytes(raw)


def _stored_in(redis: Redis, name: str, field_name: str) -> bytes:
    raw: Any = redis.hget(name, field_name)
    return bytes(raw)


def _refuse(word: str) -> None:
    raise ValueError(f"{word} in JSON")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=10_000)
    parser.add_argument("--records", type=int, default=3_000)
    options = parser.parse_args()
    logging.disable(logging.ERROR)
    print(machine())
    networks = load_networks(load_settings())
    with running_dashboard() as system:
        frames = fuzz_frames(system.redis, networks, options.entries)
        store = RecordingStore(system.redis, system.log.parent / "recordings", 3600)

        def look(camera: Camera, number: int) -> list[str]:
            if number % HTTP_EVERY:
                return []
            return [
                f"{path}: {status}"
                for path in _paths(camera)
                if (status := _status(system.get, path)) >= 500
            ]

        records = fuzz_records(system.redis, networks, options.records, store, look)
        tracebacks = system.log.read_text(errors="replace").count("Traceback")
    _report(frames, records, tracebacks, options.entries)


def _paths(camera: Camera) -> list[str]:
    base = f"/api/v1/cameras/{camera.id}"
    return [
        "/api/v1/cameras",
        base,
        f"{base}/connections",
        f"{base}/people",
        f"{base}/fitness",
        f"{base}/snapshot.jpg",
        "/api/v1/recordings",
        "/metrics",
    ]


def _status(get: Callable[[str], bytes], path: str) -> int:
    try:
        get(path)
    except urllib.error.HTTPError as error:
        with error:
            return error.code if error.code != 503 else 0  # 503: no picture yet, as documented
    except OSError:
        return 599
    return 200


def _report(frames: Findings, records: Findings, tracebacks: int, asked: int) -> None:
    print(f"{frames.fed.total()} malformed frames and {frames.good} good ones:")
    for what, count in frames.fed.most_common():
        print(f"  {count:5} {what}")
    print("  became", dict(frames.outcomes))
    print(f"{records.fed.total()} malformed records; by kind:")
    kinds: Counter[str] = Counter()
    for what, count in records.fed.items():
        kinds[what.partition(":")[0]] += count
    print(" ", dict(kinds))
    crashes = [*frames.crashes, *records.crashes]
    for line in crashes[:20]:
        print("  !", line)
    counted = frames.uncounted == 0 and frames.good_analysed == 1
    fed = frames.fed.total() + frames.good
    print_result("F3 fuzzed stream entries", fed, "", f">= {asked}", fed >= asked)
    print_result(
        "F3 fuzzed entries that crashed a worker", len(frames.crashes), "", "0", not frames.crashes
    )
    print_result("F3 fuzzed entries not counted by cause", frames.uncounted, "", "0", counted)
    bad = len(records.crashes)
    print_result("F3 fuzzed records that crashed a reader or gave a 5xx", bad, "", "0", bad == 0)
    print_result("F3 tracebacks in the dashboard's log", tracebacks, "", "0", tracebacks == 0)
    if crashes or not counted or tracebacks:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
