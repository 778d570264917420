"""The dashboard's small parts that need no Redis."""

from __future__ import annotations

import socket
import time
from typing import Any

import cv2
import numpy as np
import pytest
from gunicorn.workers.ggevent import GeventWorker
from hypothesis import given
from hypothesis import strategies as st

from contract.cameras.camera import make_camera
from contract.cameras.quality import QualityReport
from contract.cameras.status import CameraStatus
from contract.people.compliance import mask_rate
from contract.people.faces import Face, FrameFaces
from contract.people.verdicts import VERDICTS, Verdict
from dashboard.live.board import CameraSnapshot
from dashboard.live.placeholder import draw_placeholder, no_picture_since
from dashboard.live.wall_records import decode_records, encode_record
from dashboard.serving import worker as serving
from dashboard.serving.proxies import Proxies
from dashboard.web.answers import Rate
from dashboard.web.connections import Connections
from dashboard.web.viewer_socket import UNACKNOWLEDGED_MS, ViewerSocket

NOW_S = 1000.0


def snapshot(
    state: Any = "live", age_s: float | None = 0.2, analysed: bool = True, **camera: Any
) -> CameraSnapshot:
    faces = (Face((0, 0, 1, 1), 0.9, "mask", 0.9, 1),)
    latest = (
        FrameFaces("c1", 1, 1, NOW_S - age_s, NOW_S, 64, 48, "yunet", faces)
        if age_s is not None
        else None
    )
    return CameraSnapshot(
        make_camera(name="Gate", source="0", **camera),
        CameraStatus(state, 1.0),
        analysed,
        latest,
        dict.fromkeys(VERDICTS, 0),
        NOW_S,
        QualityReport(),
    )


def test_the_rate_leaves_the_unknown_out_and_comes_with_its_interval() -> None:
    rate = mask_rate({"mask": 8, "incorrect": 1, "no_mask": 1, "unknown": 90})
    # Wilson's interval for 8 of 10, as published tables give it.
    assert Rate.of(rate).model_dump() == {"people": 10, "rate": 0.8, "low": 0.4902, "high": 0.9433}
    assert mask_rate({"unknown": 3}).rate is None


@given(st.dictionaries(st.sampled_from(VERDICTS), st.integers(0, 10**6)))
def test_the_interval_holds_the_rate(people: dict[Verdict, int]) -> None:
    rate = mask_rate(people)
    if rate.rate is not None and rate.low is not None and rate.high is not None:
        assert 0 <= rate.low <= rate.rate + 1e-9
        assert rate.rate - 1e-9 <= rate.high <= 1


@given(st.lists(st.binary(max_size=50), max_size=5), st.integers(1, 40))
def test_records_survive_any_cut_of_the_stream(bodies: list[bytes], size: int) -> None:
    sent = b"".join(encode_record('{"type":"picture"}', body) for body in bodies)
    received, rest = [], b""
    for start in range(0, len(sent), size):
        records, rest = decode_records(rest + sent[start : start + size])
        received += [body for _, body in records]
    assert received == bodies
    assert rest == b""


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (snapshot(), ""),
        (snapshot("disabled"), "Switched off"),
        (snapshot("stalled"), "is stalled"),
        (snapshot(analysed=False), "No worker"),
        (snapshot(age_s=4.0), "no analysed pictures"),
        (snapshot(age_s=4.0, analysis_fps=0.2), ""),
        (snapshot(age_s=None), "no analysed pictures"),
    ],
)
def test_the_reason_names_what_is_amiss(shown: CameraSnapshot, words: str) -> None:
    reason = shown.reason()
    assert words in reason
    assert bool(words) == bool(reason)


def test_faces_are_in_view_only_while_the_picture_is_the_present() -> None:
    assert snapshot().faces_in_view()["mask"] == 1
    for gone in (snapshot(age_s=9.0), snapshot("stalled"), snapshot(age_s=None)):
        assert gone.faces_in_view() == dict.fromkeys(VERDICTS, 0)


@pytest.mark.parametrize("last", [b"", b"no jpeg"])
def test_a_placeholder_needs_no_last_picture(last: bytes) -> None:
    assert decoded(draw_placeholder(last, "No picture yet", "Größe ≠ 出口")).shape == (360, 640, 3)


def test_a_placeholder_is_the_last_picture_without_colour_and_dim() -> None:
    red = np.zeros((240, 320, 3), np.uint8)
    red[:] = (20, 20, 250)
    last = cv2.imencode(".jpg", red)[1].tobytes()
    shown = decoded(draw_placeholder(last, "No picture since 12:03:04", "It went quiet. " * 9))
    assert shown.shape == red.shape
    assert int(np.ptp(shown.astype(int), axis=2).max()) <= 3
    assert shown[:10].mean() < decoded(last)[:10].mean()
    assert shown.max() > 150, "the words are there"


def test_since_when_is_told_with_a_time_zone_and_for_old_pictures_with_the_day() -> None:
    assert no_picture_since(None) == "No picture yet"
    since_s = time.time() - 5
    assert time.strftime("%Z", time.localtime(since_s)) in no_picture_since(since_s)
    assert "1970" in no_picture_since(1.0) or "1969" in no_picture_since(1.0)


def test_a_viewer_who_hangs_up_is_gone_and_a_silent_one_is_not() -> None:
    ours, theirs = socket.socketpair()
    viewer = ViewerSocket({"gunicorn.socket": ours})
    viewer.keep_short()
    assert not viewer.gone()
    theirs.sendall(b"x")
    assert not viewer.gone()
    ours.recv(1)
    theirs.close()
    assert viewer.gone()
    ours.close()
    assert viewer.gone()
    assert not ViewerSocket({}).gone()


def test_the_kernel_gives_up_a_viewer_who_reads_nothing() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()),
        server.accept()[0] as ours,
    ):
        ViewerSocket({"gunicorn.socket": ours}).keep_short()
        limit_ms = ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        assert limit_ms == UNACKNOWLEDGED_MS


def test_the_kernel_gives_up_any_client_who_reads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    limits_ms = []

    def handle(_worker: object, _listener: object, client: socket.socket, _peer: object) -> None:
        limits_ms.append(client.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT))

    monkeypatch.setattr(GeventWorker, "handle", handle)
    worker = serving.WebWorker.__new__(serving.WebWorker)
    worker._proxies, worker._connections = Proxies(""), Connections()
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()),
        server.accept()[0] as ours,
    ):
        worker.handle(server, ours, ours.getpeername())
    assert limits_ms == [serving.UNACKNOWLEDGED_MS]


def decoded(jpeg: bytes) -> Any:
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
