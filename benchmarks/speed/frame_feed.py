"""Publishes frames for many cameras as ingest would, without any camera.

python -m benchmarks.frame_feed REDIS_URL --cameras 32 --fps 120 --kilobytes 10

One process holds the ingest leases of all cameras and publishes one small JPEG for them in turn,
`fps` frames a second together, through the same script that ingest publishes with. Prints a line
when it begins, and goes on until it is ended.
"""

from __future__ import annotations

import argparse
import time
from typing import Final

import cv2
import numpy as np

from bus.connection.client import connect
from bus.members.leases import LeaseStore
from bus.stores.cameras import CameraRegistry
from bus.stores.frames import FramePublisher
from contract.cameras.camera import make_camera
from contract.people.totals import Increments

SIZE: Final = (180, 320)
HELD_S: Final = 86400.0
MAX_FRAMES: Final = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("redis_url")
    parser.add_argument("--cameras", type=int, default=32)
    parser.add_argument("--fps", type=float, default=120.0, help="of all cameras together")
    parser.add_argument("--kilobytes", type=float, default=10.0, help="about, of a frame")
    options = parser.parse_args()
    redis = connect(options.redis_url, "benchmark-feed")
    registry = CameraRegistry(redis)
    known = registry.all()
    for number in range(len(known), options.cameras):
        known.append(registry.add(make_camera(name=f"cam {number}", source="demo:")))
    leases = LeaseStore(redis, "ingest", "feed", HELD_S)
    held = [lease for camera in known if (lease := leases.acquire(camera.id, ["feed"]))]
    publishers = [FramePublisher(redis, lease, MAX_FRAMES) for lease in held]
    picture = jpeg(options.kilobytes)
    print(f"feeding {len(publishers)} cameras, {len(picture)} bytes a frame", flush=True)
    began_s, sent = time.monotonic(), 0
    while True:
        time.sleep(max(0.0, began_s + sent / options.fps - time.monotonic()))
        now_s = time.time()
        publishers[sent % len(publishers)].publish(picture, now_s, now_s, 1, Increments())
        sent += 1


def jpeg(kilobytes: float) -> bytes:
    """A JPEG of 320x180 with about so many kilobytes."""
    noise = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    for quality in range(5, 100, 3):
        done, data = cv2.imencode(".jpg", noise, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if done and len(data) >= kilobytes * 1000:
            break
    return data.tobytes()


if __name__ == "__main__":
    main()
