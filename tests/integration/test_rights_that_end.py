"""What is open ends when the right to it does: everything that goes on times all one can withdraw.

A stream is read until it has ended, or until nothing of the camera comes any more; what should go
on must do so past many looks. Times are measured by `benchmarks.attacks.rights`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from redis import Redis
from werkzeug.test import TestResponse

from bus import keys
from bus.stores.accounts.api_keys import ApiKey
from bus.stores.accounts.tokens import digest
from bus.stores.accounts.users import User
from bus.stores.cameras import CameraRegistry
from bus.stores.recordings import RecordingStore
from bus.stores.webcams import WebcamStore
from contract.accounts.grants import Role
from contract.errors import LeaseLostError
from contract.pictures.views import View
from dashboard.accounts.access import requires, rule_of
from dashboard.api_document.document import FORMER
from dashboard.live.board import read_snapshots
from dashboard.live.mjpeg import BOUNDARY
from dashboard.live.wall_records import decode_records
from dashboard.try_it.image_uploads import Upload
from tests.accounts import accounts_of, csrf_token, make_app, make_user, sign_in
from tests.builders import add_camera, jpeg
from tests.integration.test_dashboard_access import routes
from tests.integration.test_dashboard_hub import FakeCamera, Feed

Outcome = Literal["ends", "goes blind", "goes on"]
"""`goes blind`: nothing more comes of the camera; of others it does."""

LOOKS = 5
MOST_PARTS = 2000
"""A stream that sends so much more has not ended."""


@dataclass
class Watched:
    """A camera with a neighbour, and somebody who watches them, by session and by key."""

    app: Flask
    redis: Redis
    folder: Path
    gate: FakeCamera
    hall: FakeCamera
    user: User
    key: ApiKey
    browser: FlaskClient
    program: FlaskClient
    token: str
    """Of the browser's session."""
    own: dict[str, str] = field(default_factory=dict)
    """Ids of what belongs to the watcher alone, by what it is."""
    open: list[TestResponse] = field(default_factory=list)

    def registry(self) -> CameraRegistry:
        return CameraRegistry(self.redis)

    def client(self, withdrawal: Withdrawal) -> FlaskClient:
        return self.program if withdrawal.of_key else self.browser

    def owner(self, withdrawal: Withdrawal) -> str:
        return f"key:{self.key.id}" if withdrawal.of_key else f"user:{self.user.id}"

    def store_key(self, **changes: Any) -> None:
        changed = self.key.model_copy(update=changes)
        self.redis.hset(keys.API_KEYS, changed.id, changed.model_dump_json())

    def change(self, **changes: Any) -> None:
        accounts_of(self.redis).change(self.user, **changes)


@dataclass(frozen=True)
class Withdrawal:
    """One right that ends."""

    withdraw: Callable[[Watched, Answer], object]
    of_key: bool = False
    of_camera: bool = False
    """Only of the camera "Gate"; whoever watches it is let in as before."""
    of_group: bool = False
    """Only of cameras of the group "T2"."""


def _role(needed: Role) -> dict[str, Role]:
    """What does not do where `needed` is asked."""
    return {"T2": "viewer"} if needed == "operator" else {"T9": "viewer"}


def _sessions_time_is_up(w: Watched, _: Answer) -> None:
    w.redis.delete(keys.session(digest(w.token)))


WITHDRAWALS = {
    "role": Withdrawal(lambda w, a: w.change(grants=_role(a.role))),
    "role of the key": Withdrawal(lambda w, a: w.store_key(grants=_role(a.role)), of_key=True),
    "group of the account": Withdrawal(
        lambda w, _: w.change(grants={"T9": "operator"}), of_group=True
    ),
    "group of the camera": Withdrawal(
        lambda w, _: w.registry().update(w.gate.id, group="T1"), of_camera=True
    ),
    "camera removed": Withdrawal(lambda w, a: _each(w, a, w.registry().remove), of_camera=True),
    "camera switched off": Withdrawal(
        lambda w, a: _each(w, a, lambda id_: w.registry().update(id_, enabled=False)),
        of_camera=True,
    ),
    "account disabled": Withdrawal(lambda w, _: w.change(enabled=False)),
    "account removed": Withdrawal(lambda w, _: accounts_of(w.redis).remove(w.user)),
    "password changed": Withdrawal(
        lambda w, _: accounts_of(w.redis).set_password(w.user, "five other quiet words")
    ),
    "key expired": Withdrawal(lambda w, _: w.store_key(expires_at_s=1.0), of_key=True),
    "key removed": Withdrawal(
        lambda w, _: accounts_of(w.redis).api_keys.remove(w.key.id), of_key=True
    ),
    "signed out everywhere": Withdrawal(
        lambda w, _: accounts_of(w.redis).sessions.end_all(w.user.id)
    ),
    "this session signed out": Withdrawal(lambda w, _: accounts_of(w.redis).sessions.end(w.token)),
    "session expired": Withdrawal(_sessions_time_is_up),
}


def _each(w: Watched, answer: Answer, do: Callable[[str], object]) -> None:
    for camera_id in filter(None, [w.gate.id, w.own.get("webcam")]):
        do(camera_id)


@dataclass(frozen=True)
class Answer:
    """One answer that goes on."""

    endpoint: str
    role: Role
    run: Callable[[Watched, Withdrawal], Outcome]
    """Open it, withdraw something meanwhile, and say what came of it."""
    of_camera: Outcome = "goes on"
    """What becomes of it when the camera may not be seen any more."""
    of_switched_off: Outcome = "goes on"


def expected(answer: Answer, withdrawal: str) -> Outcome:
    """Written from the words of docs/how-to/accounts.md, not from the code."""
    right = WITHDRAWALS[withdrawal]
    if withdrawal == "camera switched off":
        return answer.of_switched_off
    if withdrawal == "group of the camera" and answer.endpoint.startswith("webcam"):
        return "goes on"  # a browser's webcam is its owner's, whatever group "Gate" is in
    if withdrawal == "group of the account" and answer.endpoint.startswith("webcam"):
        return "goes on"
    if right.of_camera or right.of_group:
        return answer.of_camera
    # Who is left a role in another group is let in to see that group, and nothing of this one.
    if withdrawal.startswith("role") and answer.of_camera == "goes blind":
        return "goes blind"
    return "ends"


def mjpeg(w: Watched, right: Withdrawal) -> Outcome:
    parts = opened(w, right, f"/cameras/{w.gate.id}/stream.mjpg")
    assert any(is_picture(part) for part in parts)
    return after(w, right, MJPEG, parts, is_picture, lambda part: BOUNDARY.encode() in part)


def wall(w: Watched, right: Withdrawal) -> Outcome:
    parts = opened(w, right, f"/wall/stream?cameras={w.gate.id},{w.hall.id}")
    assert any(is_of(w.gate)(part) for part in parts)
    return after(w, right, WALL, parts, is_of(w.gate), is_state)


def is_of(camera: FakeCamera) -> Callable[[bytes], bool]:
    def picture_of(part: bytes) -> bool:
        [(head, _)], _ = decode_records(part)
        return bool(head["type"] == "picture" and head["camera"] == camera.id)

    return picture_of


def is_state(part: bytes) -> bool:
    return bool(decode_records(part)[0][0][0]["type"] == "state")


def is_picture(part: bytes) -> bool:
    """Whether a part of MJPEG is a picture of the fake camera, and no placeholder."""
    return b"X-Captured-At" in part and len(part) < 2000


def events(w: Watched, right: Withdrawal) -> Outcome:
    parts = opened(w, right, "/api/v1/events")
    assert any(b'"Gate"' in part for part in parts)

    def of_gate(part: bytes) -> bool:
        return b"event: person" in part and w.gate.id.encode() in part

    return after(w, right, EVENTS, parts, of_gate, lambda part: True)


def video(w: Watched, right: Withdrawal) -> Outcome:
    store = recordings(w)
    made = store.create(w.owner(right), "hall.mp4")
    store.change(made, state="finished")
    store.annotated_file(made).write_bytes(bytes(1 << 20))
    answer = w.client(right).get(f"/api/v1/recordings/{made.id}/video", buffered=False)
    assert answer.status_code == 200
    parts = iter(answer.response)
    received = len(next(parts))
    right.withdraw(w, VIDEO)
    try:
        received += sum(len(part) for part in parts)
    except ConnectionResetError:
        return "ends"
    finally:
        answer.close()
    assert received == 1 << 20
    return "goes on"


def webcam(w: Watched, right: Withdrawal) -> Outcome:
    """While the picture is being drawn."""
    w.own["webcam"] = WebcamStore(w.redis).start(w.owner(right), "Ada").id

    def draw(*_: object) -> View:
        right.withdraw(w, WEBCAM)
        return View(w.own["webcam"], b"1-1", 1, 0.0, jpeg(), {})

    return answered(w, right, "dashboard.try_it.webcams.Webcams.drawn", draw, frame(w, jpeg()))


def webcam_body(w: Watched, right: Withdrawal) -> Outcome:
    """While the browser still sends the picture."""
    w.own["webcam"] = WebcamStore(w.redis).start(w.owner(right), "Ada").id
    body = Trickle(jpeg(), lambda: right.withdraw(w, WEBCAM))
    view = View(w.own["webcam"], b"1-1", 1, 0.0, jpeg(), {})
    return answered(
        w, right, "dashboard.try_it.webcams.Webcams.drawn", lambda *_: view, frame(w, body)
    )


def frame(w: Watched, body: bytes | Trickle) -> dict[str, Any]:
    """A picture for a webcam."""
    path = f"/api/v1/webcams/{w.own['webcam']}/frames"
    return {"path": path, "content_type": "image/jpeg", **sent(body)}


def images(w: Watched, right: Withdrawal) -> Outcome:
    """While the upload is analysed."""
    states: list[Literal["running", "finished"]] = ["running", "finished"]

    def find(*_: object) -> Upload:
        if len(states) == 2:
            right.withdraw(w, IMAGES)
        return Upload("u1", states.pop(0), ["a.jpg"], 9, {"images": []})

    files = {"image": (io.BytesIO(jpeg()), "a.jpg")}
    request = {"path": "/api/v1/uploads", "data": files, "content_type": "multipart/form-data"}
    return answered(w, right, "dashboard.try_it.image_uploads.ImageUploads.find", find, request)


def upload(w: Watched, right: Withdrawal) -> Outcome:
    """While the recording still comes."""
    film = b"\x00\x00\x00\x18ftypisom" + bytes(300_000)
    body = Trickle(film, lambda: right.withdraw(w, UPLOAD))
    request = {"path": "/api/v1/recordings", **sent(body)}
    came = answered(w, right, "bus.jobs.queue.JobQueue.add", lambda *_, **__: 0, request)
    assert len(recordings(w).all()) == (came == "goes on")
    return came


MJPEG = Answer("picture_streams.stream", "viewer", mjpeg, "ends", "goes blind")
WALL = Answer("wall_stream.stream", "viewer", wall, "goes blind", "goes blind")
EVENTS = Answer("event_api.events", "viewer", events, "goes blind")
VIDEO = Answer("recording_api.video", "operator", video)
WEBCAM = Answer("webcam_api.frame", "operator", webcam, "ends", "goes on")
WEBCAM_BODY = Answer("webcam_api.frame", "operator", webcam_body, "ends", "ends")
IMAGES = Answer("upload_api.start", "operator", images)
UPLOAD = Answer("recording_api.upload", "operator", upload)
ANSWERS = {
    "MJPEG": MJPEG,
    "wall": WALL,
    "events": EVENTS,
    "annotated video": VIDEO,
    "webcam, picture being drawn": WEBCAM,
    "webcam, picture being sent": WEBCAM_BODY,
    "images being analysed": IMAGES,
    "recording being sent": UPLOAD,
}


class Trickle(io.RawIOBase):
    """A body of which the second half comes after something has happened."""

    def __init__(self, data: bytes, between: Callable[[], object]) -> None:
        self.size = len(data)
        self._parts = [data[: self.size // 2], data[self.size // 2 :]]
        self._between = between

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._parts:
            return 0
        part = self._parts[0][: len(buffer)]
        buffer[: len(part)] = part
        self._parts[0] = self._parts[0][len(part) :]
        if not self._parts[0]:
            self._parts.pop(0)
            if self._parts:
                self._between()
        return len(part)


def sent(body: bytes | Trickle) -> dict[str, Any]:
    if isinstance(body, bytes):
        return {"data": body}
    stream = {"wsgi.input": io.BufferedReader(body), "CONTENT_LENGTH": str(body.size)}
    return {"environ_overrides": stream}


def recordings(w: Watched) -> RecordingStore:
    return RecordingStore(w.redis, w.folder, 3600)


def opened(w: Watched, right: Withdrawal, path: str) -> Iterator[bytes]:
    answer = w.client(right).get(path, buffered=False)
    assert answer.status_code == 200, answer.text
    w.open.append(answer)
    return iter(answer.response)


def after(
    w: Watched,
    right: Withdrawal,
    answer: Answer,
    parts: Iterator[bytes],
    of_camera: Callable[[bytes], bool],
    beat: Callable[[bytes], bool],
) -> Outcome:
    """Withdraw, and read on until it is clear what came of the stream."""
    right.withdraw(w, answer)
    since_last = 0
    for number, part in enumerate(parts):
        since_last = 0 if of_camera(part) else since_last + beat(part)
        if since_last > LOOKS * 4:
            return "goes blind"
        if number > MOST_PARTS or (number > LOOKS * 8 and since_last == 0):
            return "goes on"
    return "ends"


def answered(
    w: Watched,
    right: Withdrawal,
    patched: str,
    instead: Callable[..., object],
    request: dict[str, Any],
) -> Outcome:
    client = w.client(right)
    headers = {} if right.of_key else {"X-CSRFToken": csrf_token(client)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(patched, instead)
        answer: TestResponse = client.post(**request, headers=headers)
    if answer.status_code in {401, 403, 404, 410}:
        assert not answer.data.startswith(b"\xff\xd8")
        return "ends"
    assert answer.status_code < 300, answer.text
    return "goes on"


@pytest.fixture
def watched(redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    monkeypatch.setattr("dashboard.accounts.admission.LOOK_EVERY_S", 0.0)
    monkeypatch.setattr("dashboard.live.wall_records.STATE_EVERY_S", 0.05)
    monkeypatch.setattr("dashboard.live.event_stream.STATE_EVERY_S", 0.05)
    monkeypatch.setattr("dashboard.live.event_stream.LOOK_S", 0.05)
    monkeypatch.setattr("dashboard.live.event_stream.HEARTBEAT_S", 0.05)
    monkeypatch.setattr("dashboard.live.mjpeg.PLACEHOLDER_EVERY_S", 0.05)
    monkeypatch.setattr("dashboard.live.mjpeg.LOOK_S", 0.05)
    monkeypatch.setattr("bus.jobs.queue.JobQueue.processes", lambda _: 1)
    app = make_app(redis, recordings_dir=tmp_path)
    accounts = accounts_of(redis)
    make_user(redis)  # the last administrator cannot go
    user = make_user(redis, "Grace", T2="operator")
    key, text = accounts.api_keys.add("program", {"T2": "operator"}, 1, "a test")
    browser, program = app.test_client(), app.test_client()
    assert sign_in(browser, "Grace").status_code == 302
    program.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {text}"
    cookie = browser.get_cookie("maskwatch_8000")
    assert cookie is not None
    opened_cookie = app.session_interface.get_signing_serializer(app).loads(  # type: ignore[attr-defined]
        cookie.value
    )
    gate, hall = (FakeCamera(redis, name, group="T2") for name in ("Gate", "Hall"))
    token = str(opened_cookie["_user_id"])
    made = Watched(app, redis, tmp_path, gate, hall, user, key, browser, program, token)
    yield made
    for answer in made.open:
        answer.close()


class LastingFeed(Feed):
    """Goes on although a camera is removed under it; sends pictures, or counts people."""

    def __init__(self, answer: Answer, *cameras: FakeCamera) -> None:
        super().__init__(*cameras)
        self._counts = answer is EVENTS

    def _run(self) -> None:
        while not self._stop.wait(0.05):
            for camera in tuple(self.cameras):
                with suppress(LeaseLostError):
                    if self._counts:
                        camera.count_person("mask", 0.9, 2.0)
                    else:
                        camera.commit(("mask",))


@pytest.mark.parametrize("withdrawal", WITHDRAWALS)
@pytest.mark.parametrize("answer", ANSWERS)
def test_what_goes_on_ends_with_the_right_to_it(
    watched: Watched, answer: str, withdrawal: str
) -> None:
    with LastingFeed(ANSWERS[answer], watched.gate, watched.hall):
        came = ANSWERS[answer].run(watched, WITHDRAWALS[withdrawal])
    assert came == expected(ANSWERS[answer], withdrawal)


HARMLESS: dict[str, Callable[[Watched], object]] = {
    "a higher role": lambda w: w.change(grants={"T2": "administrator"}),
    "one more group": lambda w: w.change(grants={"T1": "operator", "T2": "operator"}),
    "a camera renamed": lambda w: w.registry().update(w.gate.id, name="Gate A"),
    "another camera removed": lambda w: w.registry().remove(add_camera(w.redis, "Other").id),
    "another session signed out": lambda w: accounts_of(w.redis).sessions.end(
        accounts_of(w.redis).sessions.start(w.user.id, "", "")
    ),
    "another account disabled": lambda w: accounts_of(w.redis).change(
        make_user(w.redis, "Bob", T2="viewer"), enabled=False
    ),
    "their own password changed here": lambda w: accounts_of(w.redis).set_password(
        w.user, "five other quiet words", keep=w.token
    ),
}


@pytest.mark.parametrize("change", HARMLESS)
@pytest.mark.parametrize("answer", ["MJPEG", "wall", "events", "annotated video"])
def test_what_one_still_may_goes_on(watched: Watched, answer: str, change: str) -> None:
    right = Withdrawal(lambda w, _: HARMLESS[change](w))
    with LastingFeed(ANSWERS[answer], watched.gate, watched.hall):
        assert ANSWERS[answer].run(watched, right) == "goes on"


def test_every_route_that_goes_on_is_tried_here(app: Flask) -> None:
    """An answer in parts is refused where its route does not say so (next test)."""
    found = set()
    for _, route in routes(app):
        rule = rule_of(app.view_functions[route.endpoint])
        if rule is not None and rule.goes_on:
            found.add(route.endpoint.removeprefix(FORMER))
    assert found == {answer.endpoint for answer in ANSWERS.values()}


@pytest.fixture
def app(redis: Redis) -> Flask:
    return make_app(redis)


def test_an_answer_in_parts_that_does_not_say_so_is_refused(app: Flask, redis: Redis) -> None:
    @requires("viewer")
    def forgotten() -> Response:
        return Response(iter([b"secret"]))

    app.add_url_rule("/forgotten", "forgotten", forgotten)
    make_user(redis)
    browser = app.test_client()
    sign_in(browser)
    assert browser.get("/forgotten").status_code == 403


def test_a_change_that_was_sent_slowly_is_not_made_once_the_right_to_it_has_ended(
    watched: Watched,
) -> None:
    body = Trickle(b'{"name": "Stolen"}', lambda: watched.change(enabled=False))
    answer = watched.browser.patch(
        f"/api/v1/cameras/{watched.gate.id}",
        headers={"X-CSRFToken": csrf_token(watched.browser)},
        content_type="application/json",
        **sent(body),
    )
    assert answer.status_code == 401
    assert watched.registry().get(watched.gate.id).name == "Gate"


def test_an_answer_that_took_long_is_refused_to_those_who_lost_the_right_to_it(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever took longer than a second is looked at again before it goes out."""
    right = WITHDRAWALS["group of the camera"]
    monkeypatch.setattr(
        "dashboard.cameras.api.read_snapshots",
        lambda *a: right.withdraw(watched, MJPEG) and read_snapshots(*a),
    )
    answer = watched.browser.get(f"/api/v1/cameras/{watched.gate.id}/fitness")
    assert (answer.status_code, answer.json["error"]) == (404, "camera_not_found")
