"""Frames that nobody wants are not decoded, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.captured import always
from ingest.reach.address import parse_source
from ingest.sources.leaving_out import MOST_OPEN, LeavingOut
from ingest.sources.video import VideoSource
from runtime.settings import load_settings
from runtime.video.sampler import Sampler
from tests.builders import Patience
from tests.servers.clips import make_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clips") / "b.mp4", seconds=3, b_frames=3)


def analysed(clip: Path, fps: float, *, leave_out: bool) -> tuple[list[int], int]:
    """Numbers of the frames analysed in three rounds of the film, and how many come out."""
    settings = load_settings({}, file_speed=0.0)
    source = VideoSource.open(parse_source(str(clip)), settings, Patience())
    sampler, number, chosen, decoded = Sampler(fps), 0, [], 0
    for frame in source.frames(sampler.may_want if leave_out else always):
        number += frame.left_out
        if number >= 220:
            break
        decoded += 1
        if sampler.wants(frame.time_s):
            chosen.append(number)
        number += 1
    source.close()
    return chosen, decoded


@pytest.mark.parametrize("fps", [0.7, 3, 5, 25])
def test_the_frames_analysed_and_their_numbers_are_the_same_with_others_left_out(
    clip: Path, fps: float
) -> None:
    every, all_decoded = analysed(clip, fps, leave_out=False)
    chosen, decoded = analysed(clip, fps, leave_out=True)
    assert chosen == every
    assert all_decoded == 220
    assert decoded < 150 if fps < 10 else decoded == 220


def test_no_frame_is_left_out_that_the_sampler_would_have_wanted() -> None:
    sampler = Sampler(5)
    for number in range(200):
        time_s = 100 + number / 25
        may = sampler.may_want(time_s)
        assert may or not sampler.wants(time_s)
        if may:
            sampler.wants(time_s)


def test_after_a_clock_was_set_back_any_frame_may_be_wanted() -> None:
    sampler = Sampler(5)
    assert sampler.wants(100.0)
    assert not sampler.may_want(100.04)
    assert sampler.may_want(40.0)


class Packet:
    """As much of a packet as decides."""

    def __init__(self, pts: int) -> None:
        self.pts = pts


def test_timestamps_that_run_backwards_fill_no_memory_and_lose_no_count(clip: Path) -> None:
    left_out = LeavingOut(lambda _: False)
    source = VideoSource.open(parse_source(str(clip)), load_settings({}), Patience())
    for pts in range(3 * MOST_OPEN, 0, -1):
        left_out.prepare(source._stream, Packet(pts), 0.0)
    assert len(left_out._open) <= MOST_OPEN
    assert left_out.rest() == 3 * MOST_OPEN
    source.close()
