"""How many frames are analysed, and when recordings show theirs."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from ingest.encoding import encode_jpeg
from ingest.sources.pace import Pace
from ingest.sources.stream_clock import StreamClock
from runtime.video.pictures import fit_size
from runtime.video.sampler import Sampler
from tests.servers.clips import make_clip
from worker.uploads.film import RecordedFilm


def sampled(fps: float, times_s: Iterable[float]) -> list[float]:
    sampler = Sampler(fps)
    return [time_s for time_s in times_s if sampler.wants(time_s)]


@pytest.mark.parametrize(
    ("native", "wanted", "expected"),
    [
        (25, 5, 5),
        (25, 8, 8),
        (30, 8, 8),
        (25, 24, 24),
        (25, 25, 25),
        (10, 25, 10),
        (25, 0.5, 0.5),
        (25, 0.1, 0.1),
    ],
)
def test_the_sampled_rate_is_exact_on_average(
    native: float, wanted: float, expected: float
) -> None:
    seconds = 40
    kept = sampled(wanted, (n / native for n in range(round(seconds * native))))
    assert len(kept) == pytest.approx(expected * seconds, abs=2)


@pytest.mark.parametrize("wanted", [5, 8, 25])
def test_jitter_and_bursts_do_not_change_the_rate(wanted: float) -> None:
    chance = random.Random(1)
    jittered = sorted(n / 25 + chance.uniform(-0.018, 0.018) for n in range(1000))
    assert len(sampled(wanted, jittered)) == pytest.approx(40 * wanted, rel=0.02)
    bursts = [n // 5 * 0.2 for n in range(1000)]
    assert len(sampled(wanted, bursts)) == pytest.approx(40 * wanted, rel=0.02)


def test_after_a_gap_sampling_goes_on_at_the_same_rate_without_catching_up() -> None:
    times = [n / 25 for n in range(250)] + [100 + n / 25 for n in range(250)]
    assert len(sampled(5, times)) == pytest.approx(100, abs=2)


def test_a_clock_set_back_does_not_stop_sampling() -> None:
    times = [1000 + n / 25 for n in range(250)] + [n / 25 for n in range(250)]
    assert len(sampled(5, times)) == pytest.approx(100, abs=2)


def test_timestamps_keep_their_rhythm_when_frames_arrive_in_bursts() -> None:
    clock = StreamClock()
    times = [clock.steady_s(n / 25, 50 + n // 5 * 0.2) for n in range(100)]
    assert np.diff(times) == pytest.approx(np.full(99, 0.04))


@pytest.mark.parametrize("speed", [0.5, 2.0])
def test_a_camera_whose_clock_runs_wrong_is_sampled_by_arrival(speed: float) -> None:
    clock = StreamClock()
    times = [clock.steady_s(speed * n / 25, n / 25) for n in range(2500)]
    assert len(sampled(5, times)) == pytest.approx(500, rel=0.05)


def test_frames_without_timestamps_are_timed_by_arrival() -> None:
    assert StreamClock().steady_s(None, 12.5) == 12.5


class Life:
    """A life that only notes its pauses."""

    def __init__(self) -> None:
        self.paused_s = 0.0

    def extend(self, seconds: float) -> None:
        pass

    def wait(self, seconds: float) -> bool:
        self.paused_s += seconds
        return False


def test_a_looped_recording_keeps_its_rhythm_across_the_seam(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    life = Life()
    monkeypatch.setattr(time, "monotonic", lambda: 100.0 + life.paused_s)
    pace = Pace(life)
    due = [pace.hold(n / 25) for n in range(50)]
    pace.restart()
    due += [pace.hold(n / 25) for n in range(50)]
    assert np.diff(np.array(due, float)) == pytest.approx(np.full(99, 0.04))


@pytest.mark.parametrize(("speed", "paused_s"), [(2.0, 1.0), (0.5, 4.0), (0.0, 0.0)])
def test_a_recording_plays_at_the_speed_that_is_set_or_without_any_pause(
    monkeypatch: pytest.MonkeyPatch, speed: float, paused_s: float
) -> None:
    life = Life()
    monkeypatch.setattr(time, "monotonic", lambda: 100.0 + life.paused_s)
    pace = Pace(life, speed)
    due = [pace.hold(n / 25) for n in range(51)]
    assert life.paused_s == pytest.approx(paused_s)
    # Without pauses the film's own time goes on, which sampling needs.
    assert np.diff(np.array(due, float)) == pytest.approx(np.full(50, 0.04 / (speed or 1.0)))


def test_a_picture_is_scaled_down_but_never_up() -> None:
    assert fit_size(3840, 2160, 1920) == (1920, 1080)
    assert fit_size(640, 361, 1920) == (640, 361)
    assert fit_size(1000, 10, 161) == (160, 2)


def test_a_picture_too_large_for_a_message_is_written_smaller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (200, 200, 3), np.uint8)
    monkeypatch.setattr("ingest.encoding.MAX_JPEG_BYTES", 30_000)
    assert len(encode_jpeg(noise, 100)) < len(encode_jpeg(noise, 30)) * 4


@pytest.mark.parametrize("fps", [5, 8, 24])
def test_a_recording_is_analysed_at_the_frames_that_a_camera_would_have_been(
    tmp_path: Path, fps: float
) -> None:
    with RecordedFilm(make_clip(tmp_path / "film.mp4", seconds=4)) as film:
        times_s = [frame.time_s for frame in film.frames(fps)]
    assert times_s == pytest.approx(sampled(fps, (n / 25 for n in range(100))))
