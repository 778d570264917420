"""Web cameras as they are found: odd Motion JPEG, and addresses of a single picture."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from itertools import islice, pairwise

import numpy as np
import pytest

from contract.errors import (
    SourceAuthenticationError,
    SourceEndedError,
    SourceError,
    SourceNoVideoError,
    SourceServerError,
    SourceTimeoutError,
)
from ingest.captured import CapturedFrame, OpenSource
from ingest.probe.probe import probe_source
from ingest.sources.source import open_source
from runtime.settings import load_settings
from runtime.video.sampler import Sampler
from tests.builders import Patience
from tests.servers.certificates import Authority
from tests.servers.doorman import Doorman, digest
from tests.servers.odd_web import (
    MIXED,
    ODD_MOTION,
    PICTURES,
    SOLID_PNG,
    Answer,
    Motion,
    Snapshot,
    answers,
    web_camera,
)
from tests.servers.rtsp import with_login
from worker.condition.picture import measure
from worker.condition.quality import CameraQuality

SETTINGS = load_settings(open_timeout_s=4, read_timeout_s=2)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    return Authority(tmp_path_factory.mktemp("tls"), "camera").server_context()


def opened(source: str) -> OpenSource:
    return open_source(source, SETTINGS, Patience())


def frames_of(source: str, count: int) -> tuple[OpenSource, list[CapturedFrame]]:
    camera = opened(source)
    try:
        return camera, list(islice(camera.frames(), count))
    finally:
        camera.close()


def why_not(source: str) -> SourceError:
    try:
        camera = opened(source)
    except SourceError as error:
        return error
    try:
        with pytest.raises(SourceError) as caught:
            list(camera.frames())
    finally:
        camera.close()
    return caught.value


@pytest.mark.parametrize("case", ODD_MOTION)
def test_motion_jpeg_is_read_however_it_is_written(case: str) -> None:
    with web_camera(ODD_MOTION[case]) as served:
        camera, frames = frames_of(served.url, 4)
    assert (camera.info.medium, camera.info.size) == ("mjpeg", (320, 180))
    times = [frame.time_s for frame in frames]
    assert times == sorted(times)
    assert any(near_yellow(frame.image(320)) for frame in frames)


def near_yellow(image: np.ndarray) -> bool:
    return bool((np.abs(image.astype(int) - (20, 200, 240)).max(axis=-1) < 40).sum() > 1000)


def test_pictures_that_sampling_does_not_need_are_counted_and_not_decoded() -> None:
    sampler = Sampler(5)
    with web_camera(Motion(fps=50)) as served:
        camera = opened(served.url)
        frames = islice(camera.frames(sampler.may_want), 10)
        found = [(sampler.wants(frame.time_s), frame.left_out) for frame in frames]
        camera.close()
    assert sum(wanted for wanted, _ in found) >= 9
    assert sum(left_out for _, left_out in found) > 3 * len(found)


def test_a_frame_comes_when_its_picture_has_arrived_not_when_the_next_one_begins() -> None:
    for motion in (Motion(fps=0.4, length=None), Motion(fps=0.4, trail=b"")):
        with web_camera(motion) as served:
            camera = opened(served.url)
            assert next(camera.frames()).image(320).shape == (180, 320, 3)
            camera.close()
            [(_, _)] = served.requests


@pytest.mark.parametrize(
    "body", [b"<!doctype html><h1>Camera login</h1>" * 99, b"no", b'{"error": 1}', b"x" * 9999]
)
@pytest.mark.parametrize("kind", ["text/html", "image/jpeg", f"{MIXED}; boundary=b"])
def test_a_web_page_is_told_as_one_whatever_it_is_declared(kind: str, body: bytes) -> None:
    with web_camera(lambda handler: answers(200, kind, body)(handler)) as served:
        error = why_not(served.url)
    assert isinstance(error, SourceNoVideoError)
    assert "a web page?" in str(error)


def test_pictures_without_end_and_streams_without_pictures_are_bounded() -> None:
    pieces = [PICTURES[0][:-2], *[b"x" * 4_000_000] * 20]
    endless = Motion(pictures=pieces, part="", length=None, fps=100)
    boundless = Motion(pictures=[b"x" * 60_000], fps=100)
    for motion, words in ((endless, "32 MiB"), (boundless, "something else than pictures")):
        with web_camera(motion) as served:
            error = why_not(served.url)
        assert isinstance(error, SourceNoVideoError), error
        assert words in str(error)


def test_a_camera_that_drips_a_picture_forever_times_out() -> None:
    def dripping(handler) -> None:  # type: ignore[no-untyped-def]
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n")
        for byte in PICTURES[0]:
            handler.wfile.write(bytes([byte]))
            time.sleep(0.05)

    with web_camera(dripping) as served:
        assert isinstance(why_not(served.url), SourceTimeoutError)


# --- Addresses of one picture


def polled(source: str, fps: float, count: int) -> list[CapturedFrame]:
    """Read a camera as ingest does: a frame when one is due."""
    camera, sampler = opened(source), Sampler(fps)
    try:
        frames = islice(camera.frames(sampler.may_want), count)
        return [frame for frame in frames if sampler.wants(frame.time_s)]
    finally:
        camera.close()


@pytest.mark.parametrize(
    "snapshot",
    [
        Snapshot(),
        Snapshot(length=False),
        Snapshot(kind="application/octet-stream"),
        Snapshot(kind=""),
        Snapshot(pictures=[SOLID_PNG, PICTURES[0]], kind="image/png"),
        Motion(most=1),
        Motion(most=1, length=None, kind="image/jpeg", part="", delimiter="", line_end=""),
    ],
    ids=lambda one: type(one).__name__,
)
def test_an_address_of_one_picture_is_asked_again_and_again(snapshot: Answer) -> None:
    with web_camera(snapshot) as served:
        camera, frames = frames_of(served.url, 5)
        assert len(served.requests) >= 3
    assert {frame.image(320).shape for frame in frames} == {(180, 320, 3)}
    multipart = isinstance(snapshot, Motion) and "multipart" in snapshot.kind
    assert camera.info.medium == ("mjpeg" if multipart else "snapshots")


def test_a_picture_is_asked_for_when_a_frame_is_due_on_one_connection_with_one_login(
    tls: ssl.SSLContext,
) -> None:
    for secure in (None, tls):
        doorman = Doorman([digest("SHA-256")])
        with web_camera(Snapshot(fps=50), doorman, secure) as served:
            began_s = time.monotonic()
            frames = polled(with_login(served.url, "admin", "s3cret"), 10, 12)
            lasted_s = time.monotonic() - began_s
        assert len(frames) >= 11, "each picture was one that was due"
        assert len(served.requests) <= 10 * lasted_s + 5
        assert served.connections <= 3, "one to be asked for the login, one for all pictures"
        assert len(doorman.tried) == len(served.requests) - 1


def test_a_camera_whose_nonces_are_good_for_one_request_is_read_on() -> None:
    doorman = Doorman([digest(), 'Basic realm="c"'], forgets=True)
    with web_camera(Snapshot(fps=50), doorman) as served:
        assert len(polled(with_login(served.url, "admin", "s3cret"), 10, 6)) >= 5
    assert set(doorman.tried) == {"MD5"}, "the password is not sent in clear for that"


@pytest.mark.parametrize("validators", [["ETag"], ["ETag", "Last-Modified"]])
def test_a_picture_that_did_not_change_is_not_sent_again_and_stays_a_frame(
    validators: list[str],
) -> None:
    snapshot = Snapshot(fps=0.0, validators=validators)
    with web_camera(snapshot) as served:
        frames = polled(served.url, 8, 4)
        conditional = [one for _, one in served.requests if "if-none-match" in one]
    apart_s = [b.time_s - a.time_s for a, b in pairwise(frames)]
    assert all(one > 0.9 for one in apart_s), "unchanged, it is a frame once a second"
    assert snapshot.served[304] >= len(conditional) - 1 > 2
    assert snapshot.served[200] <= 2


def test_a_picture_that_never_changes_is_a_frozen_picture() -> None:
    quality, snapshot = CameraQuality(), Snapshot(fps=50, validators=["ETag"])
    settings = load_settings(open_timeout_s=4, read_timeout_s=0.5)  # repeated 4 times a second
    with web_camera(snapshot) as served:
        # A clock that runs four times as fast, for the sake of this test's time.
        camera = open_source(served.url, settings, Patience(), lambda: time.time() * 4)
        for number, frame in enumerate(islice(camera.frames(), 90)):
            if number == 30:
                assert not quality.problems
                snapshot.fps = 0.0
            quality.see(measure(frame.image(320)), frame.captured_at_s)
            if "frozen" in quality.problems:
                break
        camera.close()
    assert "frozen" in quality.problems


def test_a_camera_that_never_admits_a_change_is_found_out() -> None:
    snapshot = Snapshot(fps=20, validators=["ETag"], same_tag=True)
    with web_camera(snapshot) as served:
        polled(served.url, 20, 16)
        later = [one for _, one in served.requests][-4:]
    assert snapshot.served[304] > 2
    assert not any("if-none-match" in one for one in later)


def test_one_failure_of_a_busy_camera_is_no_loss_and_a_lasting_one_is_told_as_what_it_is() -> None:
    failing: Iterator[bool] = iter([False, *[True, False] * 4, *[True] * 10_000])
    busy = answers(503, "text/plain", b"busy")
    with web_camera(Snapshot(fps=50, fault=lambda h: next(failing) and busy(h))) as served:
        camera = opened(served.url)
        frames = camera.frames()
        assert len(list(islice(frames, 4))) == 4
        with pytest.raises(SourceServerError, match="503"):
            list(frames)
        camera.close()


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (answers(401), SourceAuthenticationError),
        (answers(200, "text/html", b"<h1>Sign in</h1>"), SourceNoVideoError),
        (answers(200, "image/jpeg", PICTURES[0][:500]), SourceNoVideoError),
        (lambda _: time.sleep(60) or True, SourceTimeoutError),
    ],
)
def test_a_camera_that_stops_giving_pictures_is_offline_for_its_reason(
    fault: object, error: type[SourceError]
) -> None:
    well = iter([True, True])
    with web_camera(Snapshot(fps=50, fault=lambda h: not next(well, False) and fault(h))) as served:  # type: ignore[operator]
        camera = opened(served.url)
        with pytest.raises(error):
            list(camera.frames())
        camera.close()


def test_a_slow_camera_is_read_at_its_own_rate() -> None:
    with web_camera(Snapshot(fps=50, takes_s=0.8)) as served:
        frames = polled(served.url, 8, 3)
    assert frames[-1].time_s - frames[0].time_s > 0.7 * (len(frames) - 1)


def test_half_a_picture_is_none_and_no_snapshot() -> None:
    half = [PICTURES[0][: len(PICTURES[0]) // 2]]
    for motion in (
        Motion(most=1, pictures=half),
        Motion("image/jpeg", "", "", None, "", most=1, pictures=half),
    ):
        with web_camera(motion) as served:
            assert isinstance(why_not(served.url), SourceNoVideoError | SourceEndedError)
            assert len(served.requests) == 1


def test_a_stream_that_ends_has_ended() -> None:
    with web_camera(Motion(most=5)) as served:
        assert isinstance(why_not(served.url), SourceEndedError)
        assert len(served.requests) == 1


@pytest.mark.parametrize(("answer", "medium"), [(Motion(), "mjpeg"), (Snapshot(), "snapshots")])
def test_a_probe_names_what_it_found(answer: Answer, medium: str) -> None:
    with web_camera(answer) as served:
        found = probe_source(served.url, SETTINGS)
    assert (found.reachable, found.medium, found.width) == (True, medium, 320)
    assert found.fps > 2
