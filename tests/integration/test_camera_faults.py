"""Cameras that go wrong while they are read: what is said of it, and that all come back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from redis import Redis

from bus.stores.status import StatusStore
from contract.cameras.camera import Camera, make_camera
from contract.cameras.status import CameraStatus
from contract.people.totals import read_fault_field
from tests.secret_key import cameras_of
from tests.servers.camera_faults import (
    Answers,
    Corrupts,
    CutsWithinPicture,
    Fault,
    HangsUpAt,
    JumpsInTime,
    Plays,
    PlaysAt,
    Refuses,
    Reply,
    SendsNoKeyFrame,
    Stalls,
)
from tests.servers.faulty_camera import FaultyCamera
from tests.servers.faulty_http import FaultyHttpCamera, FaultySnapshotCamera
from tests.servers.faulty_rtsp import FaultyRtspCamera
from tests.servers.films import make_film
from tests.servers.ingest_process import (
    QUICK,
    eventually,
    ingest_process,
    published,
    status,
    totals,
)

SETTINGS = {**QUICK, "MASKWATCH_OPEN_TIMEOUT_S": "5"}
PATIENCE_S = 60.0


def _circle(camera: FaultyCamera) -> Fault:
    step, url = ("DESCRIBE", camera.url) if camera.scheme == "rtsp" else ("GET", "/live")
    return Answers(step, Reply(302, "Found", (("Location", url),)))


FAULTS: dict[str, tuple[Callable[[], FaultyCamera], Fault | Callable[[FaultyCamera], Fault]]] = {
    "refused": (FaultyRtspCamera, Refuses()),
    "timeout": (lambda: FaultyHttpCamera(make_film()), Stalls()),
    "hung_up": (FaultyRtspCamera, HangsUpAt("PLAY")),
    "not_found": (FaultyRtspCamera, Answers("SETUP", Reply(404, "Not Found"))),
    "rejected": (FaultyRtspCamera, Answers("PLAY", Reply(454, "Session Not Found"))),
    "server_error": (FaultyHttpCamera, Answers("GET", Reply(500, "Internal Server Error"))),
    "redirect": (FaultyHttpCamera, _circle),
    "ended": (FaultyRtspCamera, CutsWithinPicture(1.0)),
    "no_key_frame": (FaultyRtspCamera, SendsNoKeyFrame()),
    "no_video": (FaultySnapshotCamera, Answers("GET", Reply(200, "OK", (), b"<html>" * 99))),
    "undecodable": (FaultyRtspCamera, Plays(make_film("hevc"))),
}
NOTICES: dict[str, tuple[Callable[[], FaultyCamera], Fault]] = {
    "changed": (FaultyRtspCamera, Plays(make_film(size=(640, 360)))),
    "corrupt": (FaultyRtspCamera, Corrupts(0.2)),
    "clock": (FaultyRtspCamera, JumpsInTime(3600.0, 1.0)),
    "slow": (FaultyRtspCamera, PlaysAt(1)),
    "fast": (FaultyRtspCamera, PlaysAt(120)),
}


@dataclass
class Watched:
    """A faulty camera as ingest has it."""

    server: FaultyCamera
    camera: Camera


class Bench:
    """Faulty cameras, each being read, beside one that is well."""

    def __init__(self, redis: Redis, stack: ExitStack) -> None:
        self._redis = redis
        self._stack = stack
        self.well = self.add("well", FaultyRtspCamera)

    def add(self, name: str, make: Callable[[], FaultyCamera]) -> Watched:
        server = self._stack.enter_context(make())
        camera = cameras_of(self._redis).add(make_camera(name=name, source=server.url))
        return Watched(server, camera)

    def status(self, one: Watched) -> CameraStatus:
        return status(self._redis, one.camera)

    def is_read(self, *some: Watched) -> bool:
        """Whether all are live, and a frame of each is published from now on."""
        before = [published(self._redis, one.camera) for one in some]
        return eventually(
            lambda: all(
                self.status(one).state == "live" and published(self._redis, one.camera) > count
                for one, count in zip(some, before, strict=True)
            ),
            PATIENCE_S,
        )

    def said_of(self, one: Watched) -> dict[str, str]:
        """The kinds that the connection's history has, with their words."""
        history = StatusStore(self._redis).history(one.camera.id)
        return {event.error_kind: event.error for event in history if event.error_kind}

    def counted(self, one: Watched) -> set[str]:
        """The kinds of faults in the totals, which metrics show."""
        counts = totals(self._redis, one.camera)
        return {kind for field in counts if (kind := read_fault_field(field))}


@pytest.fixture
def bench(redis: Redis, redis_url: str) -> Iterator[Bench]:
    with ExitStack() as stack:
        stack.enter_context(ingest_process(redis_url, SETTINGS))
        yield Bench(redis, stack)


def test_each_fault_is_typed_and_counted_and_over_when_it_ends_and_a_neighbour_never_notices(
    redis: Redis, bench: Bench
) -> None:
    cameras = {kind: bench.add(kind, make) for kind, (make, _) in {**FAULTS, **NOTICES}.items()}
    assert bench.is_read(bench.well, *cameras.values())
    for kind, one in cameras.items():
        fault = {**FAULTS, **NOTICES}[kind][1]
        one.server.begin(fault if isinstance(fault, Fault) else fault(one.server))
    for kind, one in cameras.items():
        assert eventually(lambda k=kind, o=one: k in bench.said_of(o), PATIENCE_S), kind
        assert all(bench.said_of(one).values())
    large, other = bench.status(cameras["changed"]), cameras["undecodable"]
    assert (large.width, large.height) == (640, 360)
    assert eventually(lambda: bench.status(other).codec == "hevc", PATIENCE_S)
    assert "hevc instead of h264" in bench.said_of(other)["changed"]
    assert bench.is_read(*(cameras[kind] for kind in NOTICES), other)
    for one in cameras.values():
        one.server.end()
    assert bench.is_read(bench.well, *cameras.values())
    # Those whose pictures went on were never connected to anew.
    on = [bench.status(cameras[kind]).reconnects for kind in ("changed", "clock", "slow", "fast")]
    assert on == [0, 0, 0, 0]
    assert bench.status(bench.well).reconnects == 0
    assert all(kind in bench.counted(one) for kind, one in cameras.items())
    assert not bench.counted(bench.well) & set(FAULTS)
