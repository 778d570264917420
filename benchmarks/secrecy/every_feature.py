"""Uses whatever of a running system carries pictures, as people would, several times.

Live cameras with somebody watching, probes, uploaded images, an uploaded recording, a webcam, an
audit, an alert's test message, a backup.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import requests
from PIL import Image
from rq import Queue, Worker

from benchmarks.system import ROOT, System, wait_until
from bus.keys import IMAGES_QUEUE, JOBS_QUEUE, RECORDINGS_QUEUE

ROUNDS: Final = 3
SETTLED: Final = frozenset({"finished", "failed"})


class EveryFeature:
    """One person's session with the API of a running system."""

    def __init__(self, system: System, clip: Path, checkout: Path = ROOT) -> None:
        """`clip`: a short film, which is played as a camera, probed and uploaded."""
        self._system = system
        self._clip = clip
        self._checkout = checkout
        self._http = requests.Session()
        self._http.headers.update(system.authorization())
        self.used: dict[str, int] = {}

    def use(self, jpeg: bytes) -> None:
        """Use everything; `jpeg` is what is uploaded and what the webcam sees."""
        for name in (JOBS_QUEUE, IMAGES_QUEUE, RECORDINGS_QUEUE):
            queue = Queue(name, connection=self._system.redis)
            wait_until(partial(Worker.count, queue=queue), 60, f"{name} to be taken", self._system)
        self._api("POST", "/api/v1/cameras", json={"name": "Film", "source": str(self._clip)})
        for _ in range(ROUNDS):
            self._probe()
            self._image(jpeg)
            self._webcam(jpeg)
        self._audit()
        self._recording()

    def _audit(self) -> None:
        """Let people be drawn; their pictures stay, because nobody judges them."""
        made = self._api("POST", "/api/v1/audits", json={"group": "", "people": 20})
        path = f"/api/v1/audits/{made['id']}/next"

        def drawn() -> bool:
            person = self._api("GET", path)["person"]
            return bool(person) and self._http.get(self._system.url + person["pictures"][0]).ok

        wait_until(drawn, 60, "somebody to judge", self._system)
        self._note("audits")

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch every camera meanwhile, so that annotated pictures are made."""
        stop = threading.Event()
        camera_ids = [camera["id"] for camera in self._api("GET", "/api/v1/cameras")["cameras"]]
        threads = [
            threading.Thread(target=self._watch, args=(camera_id, stop), daemon=True)
            for camera_id in camera_ids
        ]
        for thread in threads:
            thread.start()
        try:
            wait_until(lambda: self.used.get("pictures watched", 0) > 5, 30, "pictures to watch")
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join(5)

    def back_up(self, path: Path) -> None:
        """Write a backup with the command."""
        environment = {
            "MASKWATCH_REDIS_URL": f"unix://{self._system.log.parent / 'redis' / 'redis.sock'}",
            "MASKWATCH_STATE_DIR": str(self._system.log.parent),
            "PYTHONPATH": str(self._checkout),
        }
        command = [sys.executable, "-m", "maskwatch", "backup", str(path)]
        subprocess.run(command, env=environment, cwd=self._checkout, check=True, timeout=60)
        self._note("backups")

    def _watch(self, camera_id: str, stop: threading.Event) -> None:
        url = f"{self._system.url}/cameras/{camera_id}/stream.mjpg"
        with requests.get(
            url, headers=self._system.authorization(), stream=True, timeout=20
        ) as answer:
            for part in answer.iter_content(65536):
                self._note("pictures watched", part.count(b"\xff\xd8\xff"))
                if stop.is_set():
                    return

    def _probe(self) -> None:
        made = self._api("POST", "/api/v1/probes", json={"source": str(self._clip)})
        found = self._settled(f"/api/v1/probes/{made['id']}")
        if not found["result"]["snapshot_jpeg_base64"]:
            raise SystemExit(f"a probe shows no picture: {found}")
        self._note("probes")

    def _image(self, jpeg: bytes) -> None:
        files = [("image", (f"{number}.jpg", jpeg, "image/jpeg")) for number in range(2)]
        made = self._api("POST", "/api/v1/uploads", files=files)
        self._settled(f"/api/v1/uploads/{made['id']}")
        self._note("images", len(files))

    def _webcam(self, jpeg: bytes) -> None:
        camera_id = self._api("POST", "/api/v1/webcams")["id"]
        for _ in range(5):
            url = f"{self._system.url}/api/v1/webcams/{camera_id}/frames"
            kind = {"Content-Type": "image/jpeg"}
            self._http.post(url, data=jpeg, headers=kind, timeout=20).raise_for_status()
            self._note("webcam frames")
            time.sleep(0.2)

    def _recording(self) -> None:
        made = self._api("POST", "/api/v1/recordings?name=film.mp4", data=self._clip.read_bytes())
        found = self._settled(f"/api/v1/recordings/{made['id']}")
        if found["state"] != "finished":
            raise SystemExit(f"a recording was not analysed: {found}")
        self._note("recordings")

    def _settled(self, path: str) -> Any:
        found: Any = None

        def over() -> bool:
            nonlocal found
            found = self._api("GET", path)
            return found.get("state") in SETTLED

        wait_until(over, 90, f"{path} to be over", self._system)
        return found

    def _api(self, method: str, path: str, **more: Any) -> Any:
        answer = self._http.request(method, self._system.url + path, timeout=60, **more)
        if not answer.ok:
            raise SystemExit(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json()

    def _note(self, what: str, count: int = 1) -> None:
        self.used[what] = self.used.get(what, 0) + count


def photograph(path: Path) -> bytes:
    """Write and return a JPEG that no compression makes small, as photographs are."""
    Image.effect_noise((640, 480), 60).convert("RGB").save(path, "JPEG", quality=85)
    return path.read_bytes()
