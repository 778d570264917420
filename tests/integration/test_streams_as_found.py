"""Live streams as cameras and recorders send them: their times, their rates, their damage."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from contract.errors import SourceError
from ingest.captured import CapturedFrame
from ingest.probe.probe import probe_source
from ingest.probe.rate import rate_of
from ingest.process.connection_state import ConnectionState
from ingest.sources.source import open_source
from runtime.settings import load_settings
from tests.integration.test_camera_pictures import Patience, corner
from tests.servers.dav import write_dav

FPS = 12
SETTINGS = load_settings({})


def stream(path: Path, first_s: float = 0.0, seconds: float = 2.0, codec: str = "libx264") -> Path:
    noise = np.random.default_rng(7)
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=FPS)
        video.width, video.height = 192, 108
        video.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        video.codec_context.gop_size = FPS
        for number in range(round(seconds * FPS)):
            picture = noise.integers(0, 255, (108, 192, 3), np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, "bgr24").reformat(format=video.pix_fmt)
            frame.pts = round((first_s + number / FPS) * 90_000)
            frame.time_base = Fraction(1, 90_000)
            container.mux(video.encode(frame))
        container.mux(video.encode())
    return path


@contextmanager
def served(data: bytes, lasts_s: float) -> Iterator[str]:
    """Serve bytes as a camera would, over `lasts_s`; then say nothing more."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream")
            self.end_headers()
            pieces = max(1, round(lasts_s * 20))
            size = -(-len(data) // pieces)
            for first in range(0, len(data), size):
                self.wfile.write(data[first : first + size])
                time.sleep(lasts_s / pieces)
            ended.wait(5)

        def log_message(self, format: str, *args: Any) -> None:
            """Be quiet."""

    ended = threading.Event()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/live"
        finally:
            ended.set()
            server.shutdown()


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [("flv", "libx264"), ("ts", "libx264"), ("h264", "libx264"), ("mjpeg", "mjpeg")],
)
@pytest.mark.parametrize("lasts_s", [8.0, 0.0], ids=["live", "at once"])
def test_a_probe_tells_a_rate_that_is_true_or_none(
    tmp_path: Path, suffix: str, codec: str, lasts_s: float
) -> None:
    seconds = lasts_s or 2.0
    data = stream(tmp_path / f"film.{suffix}", seconds=seconds, codec=codec).read_bytes()
    with served(data, lasts_s) as url:
        found = probe_source(url, load_settings({}, read_timeout_s=2.0))
    assert found.reachable, found.detail
    stamped = suffix in ("flv", "ts")
    if stamped:
        assert found.fps == pytest.approx(FPS, rel=0.35), "by the stream's own times"
    else:
        assert found.fps == 0 or lasts_s, "no rate of what came all at once"


@pytest.mark.parametrize(
    ("declared", "stamps", "arrivals", "told"),
    [
        (24.6, [n / 12 for n in range(26)], [0.0] * 26, 12),
        (25, [n / 24 for n in range(26)], [0.0] * 26, 25),
        (0, [n / 12 for n in range(10)] + [n / 12 for n in range(10)], [0.0] * 20, 12),
        (0, [None] * 26, [n / 645 for n in range(26)], 0),
        (0, [None] * 40, [n / 10 for n in range(40)], 10),
        (0, [None] * 30, [0.0] * 15 + [n / 10 for n in range(15)], 10),
        (0, [None] * 700, [n / 645 for n in range(700)], 0),
        (0, [None], [0.0], 0),
    ],
)
def test_a_rate_is_measured_by_the_streams_times_or_by_arrivals_that_a_camera_can_have(
    declared: float, stamps: list[float | None], arrivals: list[float], told: float
) -> None:
    frames = [
        CapturedFrame(arrived_s, 0.0, lambda _: corner(), 0, stamp)
        for arrived_s, stamp in zip(arrivals, stamps, strict=True)
    ]
    assert rate_of(declared, frames[0], iter(frames[1:])) == pytest.approx(told, rel=0.02)


@pytest.mark.parametrize("second_s", [0.0, 36_000.0], ids=["begin again", "leap by ten hours"])
def test_a_live_stream_whose_times_jump_goes_on(tmp_path: Path, second_s: float) -> None:
    data = stream(tmp_path / "a.ts").read_bytes()
    data += stream(tmp_path / "b.ts", second_s).read_bytes()
    with served(data, 4.0) as url:
        times, source = frames_of(url)
    assert len(times) >= 4 * FPS - 6, "none is lost but those the decoder holds back"
    steps = [after - before for before, after in pairwise(times)]
    assert max(steps) < 2.0
    assert min(steps) > -1.5
    assert source.health.notice() is not None
    assert source.health.notice().kind == "clock"


def test_broken_parts_of_a_live_stream_are_skipped_and_counted(tmp_path: Path) -> None:
    data = bytearray(stream(tmp_path / "a.ts", seconds=4.0).read_bytes())
    third = len(data) // 3
    data[third : third + third // 2] = bytes(third // 2)
    with served(bytes(data), 2.0) as url:
        times, source = frames_of(url)
    assert 1.5 * FPS < len(times) < 4 * FPS
    assert source.health.broken_in_all > 0
    state = ConnectionState("ingest")
    state.connected(source.info, source.health)
    assert state.status().broken == source.health.broken_in_all


def frames_of(url: str) -> tuple[list[float], Any]:
    source = open_source(url, load_settings({}, read_timeout_s=1.0), Patience())
    times: list[float] = []
    try:
        times.extend(frame.time_s for frame in source.frames())
    except SourceError:
        pass  # it fell silent
    finally:
        source.close()
    return times, source


@pytest.mark.parametrize("suffix", ["dav", "h264", "avi"])
def test_a_film_without_a_pictures_times_plays_at_its_own_rate(tmp_path: Path, suffix: str) -> None:
    if suffix == "dav":
        path = write_dav(tmp_path / "a.dav", stream(tmp_path / "a.ts"), FPS)
    else:
        path = stream(tmp_path / f"a.{suffix}")
    source = open_source(str(path), load_settings({}, file_speed=0), Patience())
    times = [frame.time_s for frame, _ in zip(source.frames(), range(2 * FPS), strict=False)]
    source.close()
    assert times[-1] - times[0] == pytest.approx((2 * FPS - 1) / FPS, rel=0.1)
