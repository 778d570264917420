"""Short ways to make what tests need."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt
from redis import Redis

from bus.keys import CameraKeys
from bus.members.leases import Lease, LeaseStore, Role
from bus.picture_seal import PictureSeal
from bus.stores.frames import FramePublisher
from contract.cameras.camera import Camera, make_camera
from contract.people.totals import Increments, decode_totals, people_field
from contract.pictures.frames import FrameMessage
from contract.pictures.views import View
from face_detector.detection import Detections
from tests.secret_key import cameras_of

Image = npt.NDArray[np.uint8]


class Patience:
    """A reader's sign of life that nobody watches, and that ends no pause early."""

    def extend(self, seconds: float) -> None: ...

    def wait(self, seconds: float) -> bool:
        return False


def add_camera(redis: Redis, name: str = "Gate", **fields: object) -> Camera:
    return cameras_of(redis).add(make_camera(**{"name": name, "source": "demo:", **fields}))


def take_lease(
    redis: Redis, camera_id: str, role: Role, owner: str = "test", ttl_s: float = 300
) -> Lease:
    lease = LeaseStore(redis, role, owner, ttl_s).acquire(camera_id)
    assert lease is not None, f"camera {camera_id} is owned already"
    return lease


def totals_of(redis: Redis, camera_id: str) -> dict[str, float]:
    return decode_totals(redis.hgetall(CameraKeys(camera_id).totals))


def count_people(redis: Redis, camera_id: str, **people: int) -> None:
    """Have a camera counted so many people of each verdict."""
    fields = {people_field(verdict): count for verdict, count in people.items()}  # type: ignore[arg-type]
    redis.hset(CameraKeys(camera_id).totals, mapping=fields)


def jpeg(width: int = 320, height: int = 240, grey: int = 128) -> bytes:
    encoded, data = cv2.imencode(".jpg", np.full((height, width, 3), grey, np.uint8))
    assert encoded
    return data.tobytes()


def everything_in(redis: Redis) -> bytes:
    """All names and values that a Redis holds, one after the other."""
    return b"\n".join(values_in(redis))


def values_in(redis: Redis) -> Iterator[bytes]:
    """Each name, field and value that a Redis holds."""
    read = {
        b"string": redis.get,
        b"hash": redis.hgetall,
        b"set": redis.smembers,
        b"list": lambda name: redis.lrange(name, 0, -1),
        b"zset": lambda name: redis.zrange(name, 0, -1, withscores=True),
        b"stream": redis.xrange,
    }
    for name in redis.scan_iter():
        yield from (name, *_bytes_in(read[redis.type(name)](name)))


def _bytes_in(value: object) -> Iterator[bytes]:
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, dict):
        for pair in value.items():
            yield from _bytes_in(pair)
    elif isinstance(value, list | tuple | set):
        for item in value:
            yield from _bytes_in(item)


def frames_of(redis: Redis, camera_id: str) -> list[FrameMessage]:
    """The frames in a camera's stream, the oldest first, their pictures opened."""
    seal = PictureSeal(redis)
    entries = redis.xrange(CameraKeys(camera_id).frames)
    return [FrameMessage.decode(camera_id, at, seal.opened(fields)) for at, fields in entries]


def view_of(redis: Redis, camera_id: str) -> View:
    """A camera's annotated picture, opened."""
    [(at, fields)] = redis.xrange(CameraKeys(camera_id).view)
    return View.decode(camera_id, at, PictureSeal(redis).opened(fields))


class Source:
    """Publishes frames for one camera, as ingest would."""

    def __init__(self, redis: Redis, camera: Camera, max_frames: int = 8) -> None:
        self.lease = take_lease(redis, camera.id, "ingest", "source")
        self._publisher = FramePublisher(redis, self.lease, max_frames)

    def publish(self, age_s: float = 0.0, data: bytes | None = None) -> int:
        return self.publish_at(time.time() - age_s, data)

    def publish_at(self, captured_at_s: float, data: bytes | None = None) -> int:
        """Publish a frame of exactly that moment, however long this machine takes over it."""
        picture = jpeg() if data is None else data
        return self._publisher.publish(picture, captured_at_s, time.time(), 1, Increments())


@dataclass
class ScriptedDetector:
    """Finds the boxes it was told to, then none; for tests about something else."""

    script: list[Sequence[tuple[float, float, float, float]]] = field(default_factory=list)
    name: str = "yunet"
    device: str = "cpu"
    sure_score: float = 0.6

    def detect(self, frames: Sequence[Image], width_px: int | None = None) -> list[Detections]:
        return [self._next() for _ in frames]

    def _next(self) -> Detections:
        boxes = np.array(self.script.pop(0) if self.script else [], np.float32).reshape(-1, 4)
        return Detections(boxes, np.full(len(boxes), 0.9, np.float32))


@dataclass
class ScriptedClassifier:
    """Gives every face the same probabilities."""

    probabilities: tuple[float, ...] = (0.99, 0.005, 0.005)
    """Of `VERDICTS`; an absent last one, `unknown`, is 0."""
    labels: tuple[str, ...] = ("mask", "incorrect", "no_mask", "unknown")
    input_size: int = 16
    margin: float = 0.1
    threshold: float = 0.7
    device: str = "cpu"
    seen: int = 0

    def classify(self, crops: Image) -> npt.NDArray[np.float32]:
        self.seen += len(crops)
        row = np.zeros(len(self.labels), np.float32)
        row[: len(self.probabilities)] = self.probabilities
        return np.tile(row, (len(crops), 1))
