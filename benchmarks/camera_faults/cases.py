"""Every camera fault of the matrix: what goes wrong, and what should be said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from tests.servers.camera_faults import (
    RTSP_STEPS,
    Answers,
    ClosesEvery,
    Corrupts,
    CutsWithinPicture,
    Fault,
    HangsAfter,
    HangsBefore,
    HangsUpAt,
    JumpsInTime,
    Loses,
    NeverChanges,
    Plays,
    PlaysAt,
    Refuses,
    Reorders,
    Reply,
    SendsNoKeyFrame,
    Stalls,
    TakesLong,
)
from tests.servers.faulty_camera import FaultyCamera
from tests.servers.faulty_http import Bare, FaultyHttpCamera, FaultySnapshotCamera
from tests.servers.faulty_rtsp import FaultyRtspCamera
from tests.servers.films import make_film

LONG_S: Final = 30.0
"""Long enough for pauses between attempts to reach their longest."""
MINUTE_S: Final = 60.0
STATUSES: Final = {
    401: ("Unauthorized", "authentication"),
    404: ("Not Found", "not_found"),
    454: ("Session Not Found", "rejected"),
    500: ("Internal Server Error", "server_error"),
}
LARGE: Final = (640, 360)
Fact = tuple[str, Fault, tuple[str, ...]]
"""Name, fault, and what may be said of it."""


@dataclass(frozen=True)
class Case:
    """One fault at one camera."""

    name: str
    camera: Callable[[], FaultyCamera]
    fault: Callable[[FaultyCamera], Fault]
    kinds: tuple[str, ...]
    """What may be said of it; the first is meant, others come on the way."""
    lasts_s: float = LONG_S
    goes_on: bool = False
    """Pictures are expected to come all through the fault, but for a while when it begins."""


def all_cases() -> list[Case]:
    """Return the whole matrix: RTSP, over TCP and over UDP, then HTTP: streams and snapshots."""
    return [*_steps(), *_answers(), *_streams(), *_datagrams(), *_web(), *_snapshots()]


def _case(
    name: str, fault: Fault, *kinds: str, lasts_s: float = LONG_S, goes_on: bool = False
) -> Case:
    return Case(name, FaultyRtspCamera, partial(_fixed, fault), kinds, lasts_s, goes_on)


def _steps() -> list[Case]:
    cases = [_case("refuses connections", Refuses(), "refused")]
    for step in RTSP_STEPS:
        cases.append(_case(f"silent before it answers {step}", HangsBefore(step), "timeout"))
        cases.append(_case(f"silent after it answers {step}", HangsAfter(step), "timeout"))
        cases.append(_case(f"hangs up at {step}", HangsUpAt(step), "hung_up"))
    return cases


def _answers() -> list[Case]:
    cases = [
        _case(f"answers {step} with {status}", Answers(step, Reply(status, words)), kind)
        for step in ("DESCRIBE", "SETUP", "PLAY")
        for status, (words, kind) in STATUSES.items()
    ]
    return [
        *cases,
        Case("redirects in a circle", FaultyRtspCamera, lambda c: _moved(c, c.url), ("redirect",)),
        Case(
            "redirects in a circle at PLAY",
            FaultyRtspCamera,
            lambda c: _moved(c, c.url, "PLAY"),
            ("redirect",),
        ),
        _case("redirects to a cloud's credentials", _to_credentials(), "forbidden"),
        Case(
            "redirects to where it plays",
            FaultyRtspCamera,
            lambda c: _moved(c, c.url.replace("/live", "/moved")),
            ("ended",),
            goes_on=True,
        ),
    ]


def _moved(camera: FaultyCamera, url: str, step: str = "DESCRIBE") -> Fault:
    step = step if camera.scheme == "rtsp" else "GET"
    return Answers(step, Reply(302, "Found", (("Location", url),)))


def _to_credentials() -> Fault:
    where = "rtsp://169.254.169.254:80/latest/meta-data/"
    return Answers("DESCRIBE", Reply(302, "Found", (("Location", where),)))


def _streams() -> list[Case]:
    other_codec = ("undecodable", "changed")
    return [
        _case("stalls in mid-stream", Stalls(), "timeout"),
        _case("cuts within a picture", CutsWithinPicture(), "ended", "hung_up"),
        _case("closes every 5 s", ClosesEvery(5.0), "ended", goes_on=True),
        _case("another resolution", Plays(make_film(size=LARGE)), "changed", goes_on=True),
        _case("another codec (H.265)", Plays(make_film("hevc")), *other_codec, goes_on=True),
        _case("5 % of packets corrupt", Corrupts(0.05), "corrupt", goes_on=True),
        _case("all packets corrupt", Corrupts(1.0), "corrupt", "undecodable", "no_key_frame"),
        _case("loses 5 % of packets", Loses(0.05), "corrupt", goes_on=True),
        _case("10 % of packets out of order", Reorders(0.1), "corrupt", goes_on=True),
        _case("clock jumps by an hour", JumpsInTime(3600, 4), "clock", goes_on=True),
        _case("clock jumps by 1.5 s", JumpsInTime(1.5, 3), "clock", goes_on=True),
        _case("clock jumps back half a day", JumpsInTime(-43200 / 4, 4), "clock", goes_on=True),
        _case("1 frame a second", PlaysAt(1), "slow", goes_on=True),
        _case("120 frames a second", PlaysAt(120), "fast", goes_on=True),
        _case("no key frame for a minute", SendsNoKeyFrame(), "no_key_frame", lasts_s=MINUTE_S),
    ]


def _datagrams() -> list[Case]:
    def over_udp(name: str, fault: Fault, kind: str, goes_on: bool = True) -> Case:
        camera, begin = partial(FaultyRtspCamera, udp=True), partial(_fixed, fault)
        return Case(f"UDP: {name}", camera, begin, (kind,), LONG_S, goes_on)

    return [
        over_udp("stalls in mid-stream", Stalls(), "timeout", goes_on=False),
        over_udp("silent after it answers PLAY", HangsAfter("PLAY"), "timeout", goes_on=False),
        over_udp("answers SETUP with 454", Answers("SETUP", Reply(454, "No")), "rejected", False),
        over_udp("loses 5 % of packets", Loses(0.05), "corrupt"),
        over_udp("another resolution", Plays(make_film(size=LARGE)), "changed"),
    ]


def _web() -> list[Case]:
    page = Reply(200, "OK", (("Content-Type", "text/html"),), b"<html>" * 300)
    mjpeg: list[Fact] = [
        ("refuses connections", Refuses(), ("refused",)),
        ("silent before it answers", HangsBefore("GET"), ("timeout",)),
        ("silent after it answers", HangsAfter("GET"), ("timeout",)),
        ("hangs up", HangsUpAt("GET"), ("hung_up",)),
        *(
            (f"answers {status}", Answers("GET", Reply(status, words)), (kind,))
            for status, (words, kind) in STATUSES.items()
            if status != 454
        ),
        ("a web page", Answers("GET", page), ("no_video",)),
        ("stalls in mid-stream", Stalls(), ("timeout",)),
        ("cuts within a picture", CutsWithinPicture(), ("ended", "hung_up", "undecodable")),
        ("corrupt", Corrupts(1.0), ("undecodable", "no_video", "corrupt")),
    ]
    lively: list[Fact] = [
        ("closes every 5 s", ClosesEvery(5.0), ("ended",)),
        ("another resolution", Plays(make_film("mjpeg", LARGE)), ("changed",)),
        ("1 frame a second", PlaysAt(1), ("slow",)),
        ("120 frames a second", PlaysAt(120), ("fast",)),
    ]
    transport: list[Fact] = [
        ("another codec (H.265)", Plays(make_film("hevc")), ("undecodable", "changed")),
        ("another resolution", Plays(make_film(size=LARGE)), ("changed",)),
        ("loses 5 %", Loses(0.05), ("corrupt",)),
        ("5 % out of order", Reorders(0.05), ("corrupt",)),
        ("clock jumps by an hour", JumpsInTime(3600, 4), ("clock",)),
    ]

    circle = Case(
        "MJPEG: redirects in a circle",
        FaultyHttpCamera,
        lambda c: _moved(c, "/live"),
        ("redirect",),
    )
    odd: list[Fact] = [
        ("stalls in mid-stream", Stalls(), ("timeout",)),
        ("cuts within a picture", CutsWithinPicture(), ("ended", "hung_up", "undecodable")),
        ("corrupt", Corrupts(1.0), ("undecodable", "no_video", "corrupt")),
        ("a web page", Answers("GET", page), ("no_video",)),
    ]
    odd_lively: list[Fact] = [
        ("another resolution", Plays(make_film("mjpeg", LARGE)), ("changed",)),
        ("1 frame a second", PlaysAt(1), ("slow",)),
        ("120 frames a second", PlaysAt(120), ("fast",)),
    ]
    minute = Case(
        "MPEG-TS: no key frame for a minute",
        _transport_stream,
        lambda _: SendsNoKeyFrame(),
        ("no_key_frame",),
        MINUTE_S,
    )
    return [
        *_of("MJPEG", FaultyHttpCamera, False, mjpeg),
        circle,
        *_of("MJPEG", FaultyHttpCamera, True, lively),
        *_of("MPEG-TS", _transport_stream, True, transport),
        minute,
        *_of("odd MJPEG", _odd_camera, False, odd),
        *_of("odd MJPEG", _odd_camera, True, odd_lively),
    ]


def _snapshots() -> list[Case]:
    page = Reply(200, "OK", (("Content-Type", "text/html"),), b"<html>" * 300)
    faults: list[Fact] = [
        ("refuses connections", Refuses(), ("refused",)),
        ("silent before it answers", HangsBefore("GET"), ("timeout",)),
        ("takes 20 s to answer", TakesLong(20), ("timeout",)),
        ("hangs up", HangsUpAt("GET"), ("hung_up",)),
        *(
            (f"answers {status}", Answers("GET", Reply(status, words)), (kind,))
            for status, (words, kind) in STATUSES.items()
            if status != 454
        ),
        ("answers 503", Answers("GET", Reply(503, "Device Busy")), ("server_error",)),
        ("a web page", Answers("GET", page), ("no_video",)),
        ("cuts within a picture", CutsWithinPicture(), ("no_video", "hung_up", "ended")),
    ]
    lively: list[Fact] = [
        ("another resolution", Plays(make_film("mjpeg", LARGE)), ("changed",)),
        ("takes 1 s to answer", TakesLong(1), ("slow",)),
        ("never changes", NeverChanges(), ("slow",)),
        ("corrupt", Corrupts(1.0), ("corrupt", "undecodable")),
    ]
    return [
        *_of("snapshots", FaultySnapshotCamera, False, faults),
        *_of("snapshots", FaultySnapshotCamera, True, lively),
    ]


def _transport_stream() -> FaultyCamera:
    return FaultyHttpCamera(make_film())


def _odd_camera() -> FaultyCamera:
    return FaultyHttpCamera(motion=Bare)


def _of(
    kind: str, camera: Callable[[], FaultyCamera], goes_on: bool, facts: list[Fact]
) -> list[Case]:
    return [
        Case(f"{kind}: {name}", camera, partial(_fixed, fault), kinds, LONG_S, goes_on)
        for name, fault, kinds in facts
    ]


def _fixed(fault: Fault, camera: FaultyCamera) -> Fault:
    del camera
    return fault
