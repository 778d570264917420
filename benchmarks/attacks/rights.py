"""Rights that outlive what they rest on, tried on a running dashboard (result G4).

python -m benchmarks.attacks.rights [--checkout OTHER]

Everything that goes on is opened, by a signed-in browser and by an API key; then one right after
another is withdrawn, and the seconds are measured until nothing more comes of it. The same matrix,
without a clock, is `tests/integration/test_rights_that_end.py`, whose withdrawals are used here.

Of another checkout, only what line 15 says of rights is tried. The matrix feeds the dashboard with
pictures and records of this checkout, sealed as this one reads them.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final, cast

from benchmarks.attacks.report import Attack, attacked_checkout, print_attack
from benchmarks.system import ROOT, System, machine, running_dashboard, wait_until
from bus.stores.recordings import RecordingStore
from bus.stores.webcams import WebcamStore
from contract.accounts.grants import Role
from contract.errors import LeaseLostError
from dashboard.live.wall_records import decode_records
from runtime.vault import load_vault
from tests.accounts import PASSWORD, accounts_of, make_user, session_cookie
from tests.builders import jpeg
from tests.integration.test_dashboard_hub import FakeCamera
from tests.integration.test_rights_that_end import (
    ANSWERS,
    EVENTS,
    MJPEG,
    UPLOAD,
    VIDEO,
    WALL,
    WEBCAM_BODY,
    WITHDRAWALS,
    Answer,
    Watched,
    expected,
)

OVER_WITHIN_S: Final = 2.0
WATCHED_FOR_S: Final = 6.0
"""How long we look, after a withdrawal, whether anything comes."""
VIDEO_BYTES: Final = 400 << 20
_PART: Final = re.compile(rb"Content-Length: (\d+)")
_TOKEN: Final = re.compile(r'name="csrf-token" content="([^"]+)"')


@dataclass
class Reader:
    """Reads one answer, and notes when something of the camera came and when it ended."""

    answer: Answer
    came_s: list[float] = field(default_factory=list)
    ended_s: float | None = None

    def over_s(self, since_s: float) -> float | None:
        """Seconds from `since_s` until it was over; None while it goes on."""
        if self.ended_s is not None:
            return max(0.0, self.ended_s - since_s)
        last_s = max((one for one in self.came_s if one > since_s), default=since_s)
        return None if time.monotonic() - last_s < WATCHED_FOR_S / 3 else last_s - since_s


class Visit:
    """A camera, its neighbour, and somebody who has everything open that goes on."""

    def __init__(self, system: System, number: int, of_key: bool) -> None:
        redis, name = system.redis, f"Grace {number}"
        self.system = system
        self._stop = threading.Event()
        self.user = make_user(redis, name, T2="operator")
        key, text = accounts_of(redis).api_keys.add(name, {"T2": "operator"}, 1, "benchmark")
        port = int(system.url.rpartition(":")[2])
        vault = load_vault(system.log.parent / "secret.key")
        cookie = session_cookie(redis, port, self.user, vault)
        self.token = ""
        self.headers = browser_headers(system, cookie)
        self._sessions = list(accounts_of(redis).sessions.of_user(self.user.id))
        if of_key:
            self.headers = {"Authorization": f"Bearer {text}"}
        gate, hall = (FakeCamera(redis, f"{n} {number}", group="T2") for n in ("Gate", "Hall"))
        folder, none = system.log.parent / "recordings", cast(Any, None)
        self.watched = Watched(
            none, redis, folder, gate, hall, self.user, key, none, none, self.token
        )
        owner = f"key:{key.id}" if of_key else f"user:{self.user.id}"
        self.watched.own["webcam"] = WebcamStore(redis).start(owner, name).id
        store = RecordingStore(redis, folder, 3600)
        self.recording = store.create(owner, "hall.mp4")
        store.change(self.recording, state="finished")
        with store.annotated_file(self.recording).open("wb") as file:
            file.truncate(VIDEO_BYTES)
        self.readers: list[Reader] = []

    def withdraw(self, name: str) -> None:
        """Withdraw a right."""
        if name in {"session expired", "this session signed out"}:
            for one in self._sessions:
                self.system.redis.delete(f"maskwatch:session:{one}")
            return
        WITHDRAWALS[name].withdraw(self.watched, MJPEG)

    def open(self) -> None:
        """Open everything, and have pictures and people come."""
        threading.Thread(target=self._feed, daemon=True).start()
        gate, hall = self.watched.gate, self.watched.hall
        self._start(MJPEG, self._mjpeg, f"/cameras/{gate.id}/stream.mjpg")
        self._start(WALL, self._wall, f"/wall/stream?cameras={gate.id},{hall.id}")
        self._start(EVENTS, self._events, "/api/v1/events")
        self._start(VIDEO, self._video, f"/api/v1/recordings/{self.recording.id}/video")
        self._start(
            WEBCAM_BODY, self._webcam, f"/api/v1/webcams/{self.watched.own['webcam']}/frames"
        )
        self._start(UPLOAD, self._upload, "/api/v1/recordings")

    def everything_came(self) -> bool:
        """Whether something came of each answer, or it could not be opened at all."""
        return all(reader.came_s or reader.ended_s for reader in self.readers)

    def close(self) -> None:
        self._stop.set()

    def _start(self, answer: Answer, read: Callable[[Reader, str], None], path: str) -> None:
        reader = Reader(answer)
        self.readers.append(reader)

        def run() -> None:
            with suppress(OSError, HTTPException):
                read(reader, path)
            if not self._stop.is_set():
                reader.ended_s = time.monotonic()

        threading.Thread(target=run, daemon=True).start()

    def _feed(self) -> None:
        while not self._stop.wait(0.1):
            for camera in (self.watched.gate, self.watched.hall):
                with suppress(LeaseLostError):
                    camera.commit(("mask",))
                    camera.count_person("mask", 0.9, 2.0)

    def _connect(self) -> HTTPConnection:
        made = HTTPConnection("127.0.0.1", int(self.system.url.rpartition(":")[2]), timeout=30)
        made.connect()
        return made

    def _kept(self) -> bool:
        """Whether the dashboard keeps what is being uploaded."""
        store = RecordingStore(self.system.redis, self.watched.folder, 3600)
        owned = [one for one in store.all() if one.owner == self.recording.owner]
        return any(one.id != self.recording.id for one in owned)

    def _chunks(self, path: str, size: int = 65536) -> Iterator[bytes]:
        with closing(self._connect()) as connection:
            connection.request("GET", path, headers=self.headers)
            answer = connection.getresponse()
            while answer.status == 200 and not self._stop.is_set():
                part = answer.read1(size)
                if not part:
                    return
                yield part

    def _mjpeg(self, reader: Reader, path: str) -> None:
        for part in self._chunks(path):
            # A placeholder is larger than the small pictures that are fed here.
            if any(int(size) < 2000 for size in _PART.findall(part)):
                reader.came_s.append(time.monotonic())

    def _wall(self, reader: Reader, path: str) -> None:
        rest = b""
        for part in self._chunks(path):
            records, rest = decode_records(rest + part)
            if any(head.get("camera") == self.watched.gate.id for head, _ in records):
                reader.came_s.append(time.monotonic())

    def _events(self, reader: Reader, path: str) -> None:
        for part in self._chunks(path):
            if b"event: person" in part and self.watched.gate.id.encode() in part:
                reader.came_s.append(time.monotonic())

    def _video(self, reader: Reader, path: str) -> None:
        for _ in self._chunks(path, 1 << 20):
            reader.came_s.append(time.monotonic())
            time.sleep(0.02)

    def _webcam(self, reader: Reader, path: str) -> None:
        while not self._stop.is_set():
            with closing(self._connect()) as connection:
                headers = {**self.headers, "Content-Type": "image/jpeg"}
                connection.request("POST", path, jpeg(), headers)
                if connection.getresponse().status >= 300:
                    return
            reader.came_s.append(time.monotonic())

    def _upload(self, reader: Reader, path: str) -> None:
        with closing(self._connect()) as connection:
            connection.putrequest("POST", path)
            for name, value in {**self.headers, "Content-Length": str(200 << 20)}.items():
                connection.putheader(name, value)
            connection.endheaders(b"\x00\x00\x00\x18ftypisom" + bytes(65536))
            while not self._stop.is_set():
                connection.sock.sendall(bytes(65536))
                if self._kept():
                    reader.came_s.append(time.monotonic())
                elif reader.came_s:
                    return  # what still comes is read for its answer's sake, and forgotten
                time.sleep(0.05)


def matrix(checkout: Path) -> Iterator[tuple[str, str, str, float | None]]:
    """Answer, withdrawal, what should come of it, and the seconds until it was over."""
    environment = {"MASKWATCH_WEBCAMS": "64"}
    with running_dashboard(environment, checkout) as system:
        make_user(system.redis)  # the last administrator cannot go
        for queue in ("maskwatch-recordings", "maskwatch-images"):
            system.redis.sadd(f"rq:workers:{queue}", "rq:worker:nobody")
        for number, (name, right) in enumerate(WITHDRAWALS.items()):
            visit = Visit(system, number, right.of_key)
            try:
                visit.open()
                wait_until(visit.everything_came, 60, f"something of each answer before {name}")
                since_s = time.monotonic()
                visit.withdraw(name)
                time.sleep(WATCHED_FOR_S)
                for reader in (one for one in visit.readers if one.came_s):
                    wanted = expected(reader.answer, name)
                    yield _name(reader.answer), name, wanted, reader.over_s(since_s)
            finally:
                visit.close()


def _name(answer: Answer) -> str:
    return next(name for name, one in ANSWERS.items() if one is answer)


def browser_headers(system: System, cookie: dict[str, str]) -> dict[str, str]:
    """What a browser with this cookie sends once it has loaded a page."""
    sent = {"Cookie": f"{cookie['name']}={cookie['value']}", "Accept": "text/html"}
    with closing(HTTPConnection("127.0.0.1", int(system.url.rpartition(":")[2]))) as connection:
        connection.request("GET", "/", headers=sent)
        answer = connection.getresponse()
        found = _TOKEN.search(answer.read().decode())
    if found is None:
        raise SystemExit(f"the wall's page carries no token: {answer.status}")
    newer = (answer.getheader("Set-Cookie") or sent["Cookie"]).partition(";")[0]
    return {"Cookie": newer, "X-CSRFToken": found[1]}


def attacks(checkout: Path) -> Iterator[Attack]:
    """Try the matrix, and the parts of line 15 that are about rights."""
    with running_dashboard(checkout=checkout) as system:
        yield from (_log(system), _link(system), _probe(system), _names(system))
    if checkout == ROOT:
        yield from _withdrawn(list(matrix(checkout)))


def _withdrawn(cells: list[tuple[str, str, str, float | None]]) -> Iterator[Attack]:
    must_end = [cell for cell in cells if cell[2] != "goes on"]
    on = [f"{a} after {w}" for a, w, _, over_s in must_end if over_s is None]
    late = [f"{a} after {w}" for a, w, _, s in must_end if s is not None and s > OVER_WITHIN_S]
    broken = [
        f"{a} after {w}" for a, w, wanted, s in cells if wanted == "goes on" and s is not None
    ]
    worst_s = max((s for *_, s in must_end if s is not None), default=0.0)
    moved = [one for one in on if one.endswith("after group of the camera")]
    yield Attack(5, "watch on after the camera was moved", not moved, f"goes on: {moved}")
    yield Attack(
        5,
        f"{len(must_end)} of {len(cells)} cells: a right withdrawn from what is open",
        not (on or late or broken),
        f"worst {worst_s:.2f} s; goes on: {on}; late: {late}; ended without need: {broken}; "
        f"{machine()}",
        "G4",
    )


def ask(system: System, key: str, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """Status and JSON of an API call."""
    with closing(HTTPConnection("127.0.0.1", int(system.url.rpartition(":")[2]))) as connection:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
    return answer.status, json.loads(text) if text[:1] in {b"{", b"["} else None


def key_for(system: System, name: str, group: str, role: Role = "operator") -> str:
    """An API key for one group."""
    return accounts_of(system.redis).api_keys.add(name, {group: role}, 1, "benchmark")[1]


def _log(system: System) -> Attack:
    key = key_for(system, "flood", "T2")
    camera = FakeCamera(system.redis, "Flooded", group="T2")
    for _ in range(300):
        ask(system, key, "PATCH", f"/api/v1/cameras/{camera.id}", {"enabled": True})
    entries = accounts_of(system.redis).audit.newest(999)
    found = sum(1 for entry in entries if entry.action == "changed a camera")
    return Attack(15, "300 saves that change nothing", found == 0, f"{found} entries in the log")


def _link(system: System) -> Attack:
    user = make_user(system.redis, "Linked", T2="viewer")
    link = accounts_of(system.redis).links.create(user.id)
    port = int(system.url.rpartition(":")[2])
    cookie = session_cookie(system.redis, port, user, load_vault(system.log.parent / "secret.key"))
    headers = browser_headers(system, cookie)
    form = f"current={PASSWORD}&password=five+other+quiet+words&again=five+other+quiet+words"
    sent = {
        **headers,
        "Content-Type": "application/x-www-form-urlencoded",
    }
    with closing(HTTPConnection("127.0.0.1", port)) as connection:
        connection.request("POST", "/account", form.replace(" ", "+"), sent)
        changed = connection.getresponse().status
    with closing(HTTPConnection("127.0.0.1", port)) as connection:
        connection.request("GET", link)
        status = connection.getresponse().status
    seen = f"password changed: {changed}, then the link: {status}"
    return Attack(15, "a reset link after the password changed", status == 404, seen)


def _probe(system: System) -> Attack:
    asked = {"source": "rtsp://192.0.2.9/live"}
    _, made = ask(system, key_for(system, "asks", "T2"), "POST", "/api/v1/probes", asked)
    status, _ = ask(system, key_for(system, "reads", "T1"), "GET", f"/api/v1/probes/{made['id']}")
    return Attack(15, "another operator reads a probe", status == 404, f"status {status}")


def _names(system: System) -> Attack:
    FakeCamera(system.redis, "Vault", group="T1")
    asked = {"name": "Vault", "source": "demo:", "group": "T2"}
    status, answer = ask(system, key_for(system, "names", "T2"), "POST", "/api/v1/cameras", asked)
    seen = f"status {status}: {(answer or {}).get('detail', 'registered')}"
    return Attack(15, "the name of another group's camera", status == 201, seen)


def main() -> None:
    for attack in attacks(attacked_checkout("Tries rights that should have ended.")):
        print_attack(attack)


if __name__ == "__main__":
    main()
