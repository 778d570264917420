"""What is noticed of a stream that arrives, and when it is told."""

from __future__ import annotations

import logging

import pytest

from contract.errors import SourceError
from ingest.health import (
    BROKEN_TO_TELL,
    FEWEST_PACKETS,
    KEY_FRAME_S,
    NOTHING_S,
    TOLD_FOR_S,
    UNDECODABLE_S,
    StreamHealth,
)
from ingest.reach.address import parse_source
from ingest.reach.errors import explain_opening
from ingest.reach.overheard import Overheard, heard
from ingest.sources.rate import LASTS_S, RateWatch
from ingest.sources.stream_clock import StreamClock

CAMERA = "rtsp://admin:s3cret@10.0.0.9:8554/live"


class Now:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def health(now: Now) -> StreamHealth:
    return StreamHealth(now)


def kind_of(health: StreamHealth) -> str:
    notice = health.notice()
    return notice.kind if notice else ""


def test_one_broken_picture_a_while_is_nothing_and_several_are_told_until_they_are_over(
    now: Now, health: StreamHealth
) -> None:
    for _ in range(2 * BROKEN_TO_TELL):
        health.broken()
        health.picture(64, 48)
        now.s += TOLD_FOR_S
        assert kind_of(health) == ""
    for _ in range(BROKEN_TO_TELL):
        health.broken()
    assert kind_of(health) == "corrupt"
    now.s += TOLD_FOR_S
    assert kind_of(health) == ""


def test_errors_without_a_picture_are_hopeless_after_seconds_and_a_picture_ends_that(
    now: Now, health: StreamHealth
) -> None:
    health.packet(key=True)
    for _ in range(10):
        health.broken()
    now.s += UNDECODABLE_S - 0.1
    assert (health.missing(), health.hopeless()) == ("undecodable", None)
    now.s += 0.2
    assert health.hopeless() == "undecodable"
    health.picture(64, 48)
    assert (health.missing(), health.hopeless()) == (None, None)


def test_a_key_frame_is_waited_for_longer_than_cameras_take(now: Now, health: StreamHealth) -> None:
    for _ in range(25):
        health.packet(key=False)
    now.s += KEY_FRAME_S - 1
    assert (health.missing(), health.hopeless()) == ("key_frame", None)
    now.s += 2
    assert health.hopeless() == "key_frame"
    health.packet(key=True)
    assert health.hopeless() is None


def test_packets_that_decode_to_nothing_are_hopeless_but_not_those_that_nobody_wants(
    now: Now, health: StreamHealth
) -> None:
    health.packet(key=True)
    for _ in range(2 * FEWEST_PACKETS):
        health.packet(key=False, left_out=True)
    now.s += NOTHING_S + 1
    assert health.hopeless() is None
    for _ in range(FEWEST_PACKETS):
        health.packet(key=False)
    assert health.hopeless() == "undecodable"
    health.picture(64, 48)
    now.s += NOTHING_S + 1
    assert health.hopeless() is None
    health.packet(key=False)
    assert health.hopeless() == "undecodable"


def test_another_size_is_told_for_a_while_in_words(now: Now, health: StreamHealth) -> None:
    health.picture(320, 180)
    health.picture(16, 16, whole=False)
    assert health.notice() is None
    health.picture(640, 360)
    notice = health.notice()
    assert notice is not None
    assert "640x360 instead of 320x180" in notice.words
    now.s += TOLD_FOR_S
    assert health.notice() is None


@pytest.mark.parametrize(
    ("declared", "wanted", "arriving", "kind"),
    [
        (25.0, 8.0, 1.0, "slow"),
        (25.0, 8.0, 7.0, ""),
        (5.0, 8.0, 5.0, ""),
        (0.0, 8.0, 5.0, ""),
        (0.0, 8.0, 1.0, "slow"),
        (25.0, 0.5, 1.0, ""),
        (25.0, 0.0, 0.2, ""),
        (60.0, 8.0, 60.0, ""),
        (25.0, 8.0, 120.0, "fast"),
    ],
)
def test_a_rate_that_lasts_is_judged_by_what_is_declared_and_analysed(
    declared: float, wanted: float, arriving: float, kind: str
) -> None:
    watch = RateWatch(wanted)
    watch.restart(declared)
    assert watch.notice(arriving, 10.0) is None
    notice = watch.notice(arriving, 10.0 + LASTS_S)
    assert (notice.kind if notice else "") == kind


def test_frames_kept_for_a_new_viewer_are_no_jump_of_the_clock() -> None:
    clock = StreamClock()
    for number in range(75):  # three seconds of film that come at once
        clock.steady_s(number / 25, 50.0)
    for number in range(75, 250):
        clock.steady_s(number / 25, 50.0 + (number - 74) / 25)
    assert clock.jumps == 0
    clock.steady_s(250 / 25, 65.0)  # the network stalled
    assert clock.jumps == 0
    clock.steady_s(1000.0, 65.04)
    assert clock.jumps == 1


@pytest.mark.parametrize(
    ("messages", "kind"),
    [
        (["Failed reading RTSP data: Connection timed out"], "timeout"),
        (["Failed reading RTSP data: End of file"], "hung_up"),
        (["method PLAY failed: 454 (Session Not Found)"], "rejected"),
        (["method DESCRIBE failed: 503 (Busy)"], "server_error"),
        (["method SETUP failed: 401 (Unauthorized)"], "authentication"),
        (["SDP: a=control:rtsp://admin:s3cret@10.0.0.9"], "no_video"),
    ],
)
def test_what_ffmpeg_says_while_it_opens_tells_its_one_error_apart(
    messages: list[str], kind: str
) -> None:
    overheard, log = Overheard(), logging.getLogger("libav.rtsp")
    with heard(logging.getLogger("libav"), overheard):
        for message in messages:
            log.info("%s", message)
    error: SourceError = explain_opening(
        ValueError("invalid data"), parse_source(CAMERA), 0.1, 6.0, overheard
    )
    assert error.kind == kind
    assert "s3cret" not in str(error)
