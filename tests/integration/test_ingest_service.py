"""Ingest processes that share cameras, lose Redis, hang and die."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from redis import Redis

from bus.connection.client import connect
from bus.server.embedded import EmbeddedRedis
from bus.stores.cameras import CameraRegistry
from contract.cameras.camera import Camera, make_camera
from runtime.vault import create_key_file, load_vault
from tests.servers.clips import make_clip
from tests.servers.ingest_process import (
    QUICK,
    eventually,
    gone,
    ingest_process,
    published,
    status,
    totals,
)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clips") / "clip.mp4")


def add(redis: Redis, clip: Path, count: int) -> list[Camera]:
    registry = CameraRegistry(redis)
    return [registry.add(make_camera(name=f"cam {n}", source=str(clip))) for n in range(count)]


def live(redis: Redis, *cameras: Camera) -> bool:
    return all(status(redis, camera).state == "live" for camera in cameras)


def grows(redis: Redis, *cameras: Camera) -> bool:
    """Whether frames of all the cameras are published from now on."""
    before = {camera.id: published(redis, camera) for camera in cameras}
    return eventually(lambda: all(published(redis, c) > before[c.id] for c in cameras))


def test_adding_changing_disabling_and_removing_take_effect_on_that_reader_only(
    redis: Redis, redis_url: str, clip: Path
) -> None:
    registry = CameraRegistry(redis)
    with ingest_process(redis_url) as ingest:
        first, second = add(redis, clip, 2)
        assert eventually(lambda: live(redis, first, second))
        readers = ingest.reader(first), ingest.reader(second)
        assert all(readers)
        registry.update(second.id, name="another name")
        registry.update(first.id, analysis_fps=3)
        assert eventually(lambda: ingest.reader(first) not in (None, readers[0]))
        assert ingest.reader(second) == readers[1]
        first = registry.update(first.id, enabled=False)
        assert eventually(lambda: ingest.reader(first) is None)
        assert status(redis, first).state == "disabled"
        registry.remove(second.id)
        assert eventually(lambda: ingest.reader(second) is None)
        assert eventually(lambda: not redis.keys(f"*{second.id}*"))
        [third] = [registry.add(make_camera(name="third", source=str(clip)))]
        assert eventually(lambda: live(redis, third))


def test_a_killed_ingest_leaves_no_orphan_and_the_other_takes_its_cameras(
    redis: Redis, redis_url: str, clip: Path
) -> None:
    cameras = add(redis, clip, 3)
    with ingest_process(redis_url) as one, ingest_process(redis_url) as other:
        assert eventually(lambda: live(redis, *cameras))

        def shared() -> bool:
            owners = [(one.reader(c) is None, other.reader(c) is None) for c in cameras]
            return all(a != b for a, b in owners) and len(set(owners)) == 2

        assert eventually(shared)
        family = one.family()
        assert len(family) > 2
        one.kill()
        assert eventually(lambda: gone(family))
        assert eventually(lambda: all(other.reader(camera) for camera in cameras))
        assert grows(redis, *cameras)


def test_a_reader_that_hangs_is_replaced_and_the_others_are_not_touched(
    redis: Redis, redis_url: str, clip: Path
) -> None:
    with ingest_process(redis_url) as ingest:
        hung, well = add(redis, clip, 2)
        assert eventually(lambda: live(redis, hung, well))
        stuck, untouched = ingest.reader(hung), ingest.reader(well)
        assert stuck is not None
        os.kill(stuck, signal.SIGSTOP)
        assert eventually(lambda: status(redis, hung).state == "stalled")
        assert status(redis, hung).error_kind == "timeout"
        assert eventually(lambda: ingest.reader(hung) not in (None, stuck))
        assert grows(redis, hung, well)
        assert ingest.reader(well) == untouched
        assert status(redis, hung).reconnects > 0


def test_a_redis_that_dies_and_comes_back_costs_frames_but_no_reader_and_no_count(
    tmp_path: Path, clip: Path
) -> None:
    server = EmbeddedRedis(tmp_path / "redis")
    server.start()
    try:
        redis = connect(server.url, "tests")
        [camera] = add(redis, clip, 1)
        with ingest_process(server.url) as ingest:
            assert eventually(lambda: published(redis, camera) > 5)
            reader = ingest.reader(camera)
            os.kill(server.pid, signal.SIGKILL)
            assert eventually(lambda: not server.alive())
            time.sleep(2.2)  # longer than a lease lasts
            server.start()
            assert eventually(lambda: grows(redis, camera))
            assert eventually(lambda: live(redis, camera))
            assert ingest.reader(camera) == reader
            ingest.stop()
        counts = totals(redis, camera)
        assert counts["dropped:unpublished"] > 0
        drops = counts["dropped:unpublished"] + counts["dropped:not_sampled"]
        assert counts["frames:captured"] == counts["frames:published"] + drops
    finally:
        server.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_ingest_leaves_no_process_and_no_lease(
    redis: Redis, redis_url: str, clip: Path, number: signal.Signals
) -> None:
    cameras = add(redis, clip, 2)
    with ingest_process(redis_url) as ingest:
        assert eventually(lambda: live(redis, *cameras))
        family = ingest.family()
        os.kill(ingest.pid, number)
        assert eventually(lambda: gone(family))
        assert not redis.keys("*lease*")
        assert [status(redis, camera).error_kind for camera in cameras] == ["no_ingest"] * 2


def test_a_camera_whose_key_is_missing_says_so_and_starts_when_it_is_brought_back(
    redis: Redis, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_file = tmp_path / "secret.key"
    create_key_file(tmp_path / "kept.key")
    monkeypatch.setitem(QUICK, "MASKWATCH_SECRET_KEY_FILE", str(key_file))
    registry = CameraRegistry(redis, load_vault(tmp_path / "kept.key"))
    camera = registry.add(make_camera(name="Gate", source="rtsp://u:s3cret@127.0.0.1:1/live"))
    with ingest_process(redis_url):
        assert eventually(lambda: status(redis, camera).error_kind == "secret_key")
        assert "MASKWATCH_SECRET_KEY_FILE" in status(redis, camera).error
        (tmp_path / "kept.key").rename(key_file)
        assert eventually(lambda: status(redis, camera).error_kind == "refused")
