"""Good and bad cameras behind a running ingest process, on a real Redis."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from redis import Redis

from contract.cameras.camera import Camera, make_camera
from contract.pictures.frames import FrameMessage
from tests.builders import frames_of
from tests.secret_key import cameras_of
from tests.servers.clips import make_clip, make_sound, make_undecodable, truncate
from tests.servers.http import closed_port, http_cameras, silent_server
from tests.servers.ingest_process import (
    IngestProcess,
    eventually,
    ingest_process,
    published,
    status,
    totals,
)
from tests.servers.rtsp import rtsp_server, with_login


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clips") / "clip.mp4")


@pytest.fixture
def ingest(redis: Redis, redis_url: str) -> Iterator[IngestProcess]:
    with ingest_process(redis_url) as process:
        yield process


def add(redis: Redis, name: str, source: str | Path, **fields: object) -> Camera:
    return cameras_of(redis).add(make_camera(name=name, source=str(source), **fields))


def newest_frame(redis: Redis, camera: Camera) -> FrameMessage:
    return frames_of(redis, camera.id)[-1]


def size_of(redis: Redis, camera: Camera) -> tuple[int, int]:
    found = status(redis, camera)
    return found.width, found.height


def picture_of(frame: FrameMessage) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(frame.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image


def test_a_running_camera_turns_its_picture_when_its_setting_changes(
    redis: Redis, ingest: IngestProcess, clip: Path
) -> None:
    camera = add(redis, "Hall", clip)
    assert eventually(lambda: size_of(redis, camera) == (320, 180))
    cameras_of(redis).update(camera.id, rotate=90, aspect="4:3")
    assert eventually(lambda: size_of(redis, camera) == (240, 320))
    assert eventually(lambda: picture_of(newest_frame(redis, camera)).shape == (320, 240, 3))


@pytest.mark.parametrize("digest", [False, True])
def test_an_rtsp_camera_with_an_odd_password_goes_live_and_a_wrong_one_is_refused(
    redis: Redis, ingest: IngestProcess, clip: Path, digest: bool
) -> None:
    user, password = "adm@in", "p@ss:/w#rd?%1"
    with rtsp_server({"hall": clip}, user, password, digest=digest) as url:
        pasted = url.replace("://", f"://{user}:{password}@", 1)
        good = add(redis, "pasted", f"{pasted}/hall", analysis_fps=5, max_width=160)
        encoded = add(redis, "encoded", f"{with_login(url, user, password)}/hall")
        wrong = add(redis, "wrong", f"{with_login(url, user, 'no')}/hall")
        missing = add(redis, "missing", f"{pasted}/other")
        assert eventually(lambda: status(redis, good).fps == pytest.approx(25, rel=0.2))
        assert eventually(lambda: status(redis, encoded).state == "live")
        assert eventually(lambda: status(redis, wrong).error_kind == "authentication")
        assert eventually(lambda: status(redis, missing).error_kind == "not_found")
        live = status(redis, good)
        assert (live.state, live.codec, live.width, live.height) == ("live", "h264", 320, 180)
        assert live.error == ""
        assert eventually(lambda: published(redis, good) >= 10)
        counts = totals(redis, good)
        assert counts["frames:published"] / counts["frames:captured"] == pytest.approx(0.2, abs=0.1)
        assert picture_of(newest_frame(redis, good)).shape == (90, 160, 3)
        assert "w#rd" not in status(redis, wrong).error


def test_each_bad_source_says_what_is_wrong_and_a_good_one_beside_them_runs(
    redis: Redis, ingest: IngestProcess, clip: Path, tmp_path: Path
) -> None:
    with http_cameras() as http, silent_server() as silent_port:
        expected = {
            f"rtsp://127.0.0.1:{closed_port()}/x": "refused",
            "rtsp://no-such-host.invalid/x": "host_not_found",
            f"{http}/page": "no_video",
            f"{http}/secret": "authentication",
            f"rtsp://127.0.0.1:{silent_port}/x": "timeout",
            f"http://127.0.0.1:{silent_port}/x": "timeout",
            str(tmp_path / "missing.mp4"): "not_found",
            str(truncate(tmp_path / "truncated.mp4", clip)): "no_video",
            str(make_sound(tmp_path / "sound.m4a")): "no_video",
            str(make_undecodable(tmp_path / "codec.mp4", clip)): "unsupported_codec",
        }
        bad = {add(redis, f"bad {n}", source): source for n, source in enumerate(expected)}
        looped = add(redis, "looped", clip, analysis_fps=5)
        mjpeg = add(redis, "mjpeg", f"{http}/mjpeg")
        for camera, source in bad.items():
            kind = expected[source]
            assert eventually(lambda c=camera, k=kind: status(redis, c).error_kind == k), (
                source,
                status(redis, camera),
            )
            assert status(redis, camera).state == "offline"
        # Five seconds of a two-second clip: it was looped.
        assert eventually(lambda: totals(redis, looped).get("frames:captured", 0) > 125)
        assert eventually(lambda: status(redis, mjpeg).fps > 10)
        assert status(redis, mjpeg).codec == "mjpeg"
        ingest.stop()
        for camera in (looped, mjpeg):
            counts = totals(redis, camera)
            drops = sum(n for field, n in counts.items() if field.startswith("dropped:"))
            assert counts["frames:captured"] == counts["frames:published"] + drops


def test_a_camera_that_falls_silent_is_stalled_then_tried_again_and_others_go_on(
    redis: Redis, ingest: IngestProcess, clip: Path
) -> None:
    with http_cameras() as http:
        silent, well = add(redis, "silent", f"{http}/stalls"), add(redis, "well", clip)
        assert eventually(lambda: status(redis, silent).state == "live")
        assert eventually(lambda: status(redis, silent).error_kind == "timeout")
        before = published(redis, well)
        assert eventually(lambda: status(redis, silent).reconnects > 0)
        assert eventually(lambda: status(redis, silent).state == "live")
        assert published(redis, well) > before
        assert status(redis, well).state == "live"


def test_the_demo_camera_delivers_pictures(redis: Redis, ingest: IngestProcess) -> None:
    demo = add(redis, "demo", "demo:seed=7&width=640")
    assert eventually(lambda: published(redis, demo) >= 3)
    assert picture_of(newest_frame(redis, demo)).shape == (360, 640, 3)
    assert eventually(lambda: status(redis, demo).state == "live")
