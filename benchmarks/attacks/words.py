"""What cameras, strangers and files are called or say, where it is shown and written: line 15.

python -m benchmarks.attacks.words [--checkout OTHER]
"""

from __future__ import annotations

import json
import re
import socket
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import cv2
import numpy as np
import requests
from rq import Queue, Worker

from benchmarks.attacks.answering import answering
from benchmarks.attacks.report import Attack, attacked_checkout, print_attack
from benchmarks.system import System, running_system, wait_until
from bus.keys import IMAGES_QUEUE, CameraKeys

LONG: Final = 50_000
MOST_SHOWN: Final = 1100
"""Characters of a status: a camera's words, 1,000 at most, and ours."""
CONTROLS: Final = "\x1b\x9b31m\x85forged\x9d0;title\x9c"
ANSWERS: Final = {
    "rtsp/refuses": "RTSP/1.0 453 {said}\r\nCSeq: {number}\r\n\r\n",
    "rtsp/leads": "RTSP/1.0 302 Found\r\nCSeq: {number}\r\nLocation: rtsp://{said}/live\r\n\r\n",
    "http/refuses": "HTTP/1.1 500 {said}\r\nContent-Length: 0\r\n\r\n",
    "http/leads": "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: http://{said}/live\r\n\r\n",
}
NAMES: Final = (
    "видео.jpg",
    "a\r\nX-Forged: yes.jpg",
    'a"; filename="b.exe',
    "\u202egpj.exe",
    "é.jpg",
)
SETTLED_S: Final = 60.0


def attacks(checkout: Path) -> Iterator[Attack]:
    """Try each on the product of `checkout`."""
    with running_system({"MASKWATCH_WORKERS": "1"}, checkout=checkout) as system:
        yield _long_words(system)
        yield _controls(system)
        yield _downloads(system)


def _long_words(system: System) -> Attack:
    """Cameras with 50 kB in the reason why they refuse, or in where they lead."""
    longest = max(len(text) for text in _said(system, "too long", "x" * LONG).values())
    seen = f"the longest status has {longest} characters"
    return Attack(15, f"a camera says {LONG} characters", longest <= MOST_SHOWN, seen)


def _controls(system: System) -> Attack:
    """Cameras, and a stranger's request, with C0 and C1 control characters."""
    said = _said(system, "controls", CONTROLS)
    port = int(system.url.rpartition(":")[2])
    for text in (f"GET /{CONTROLS}", f"GET / HTTP/1.1\r\nHost: h{CONTROLS}"):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as stranger:
            stranger.sendall(f"{text}\r\n\r\n".encode())
            stranger.recv(4096)
    shown = {place: _control_characters(text) for place, text in said.items()}
    shown["log"] = _control_characters(system.log.read_text(errors="replace"))
    found = {place: sorted(map(ascii, some)) for place, some in shown.items() if some}
    return Attack(15, "control characters in what is said", not found, f"found: {found or 'none'}")


def _control_characters(text: str) -> set[str]:
    return {one for one in text if unicodedata.category(one) == "Cc"} - {"\n"}


def _said(system: System, name: str, words: str) -> dict[str, str]:
    """What the states of cameras say that answer with `words`, by camera."""
    with answering(_rude(words)) as port:
        for how in ANSWERS:
            scheme, _, path = how.partition("/")
            source = f"{scheme}://127.0.0.1:{port}/{path}"
            body = {"name": f"{name} {how}", "source": source}
            system.call("POST", "/api/v1/cameras", body)
        wait_until(lambda: all(_states(system, name).values()), SETTLED_S, "errors", system)
        return _states(system, name)


def _states(system: System, name: str) -> dict[str, str]:
    cameras = [camera for camera in system.cameras() if camera.name.startswith(name)]
    # As it is stored: reading it cleans it.
    raw: dict[str, Any] = {one.name: system.redis.get(CameraKeys(one.id).status) for one in cameras}
    return {name: json.loads(status)["error"] if status else "" for name, status in raw.items()}


def _rude(words: str) -> Callable[[str, str], str]:
    """Answers with these words, in whichever protocol it is asked."""

    def answer(asked: str, number: str) -> str:
        how = f"{'rtsp' if number else 'http'}/"
        how += "leads" if "/leads" in asked.partition("\r")[0] else "refuses"
        return ANSWERS[how].format(said=words, number=number)

    return answer


def _downloads(system: System) -> Attack:
    """Images whose names are no header's, uploaded and saved again."""
    queue = Queue(IMAGES_QUEUE, connection=system.redis)
    wait_until(lambda: Worker.count(queue=queue), SETTLED_S, "a process for images", system)
    made, picture = cv2.imencode(".jpg", np.full((64, 64, 3), 127, np.uint8))
    assert made
    answers = [_saved(system, name, picture.tobytes()) for name in NAMES]
    bad = [f"{name!r}: {answer}" for name, answer in zip(NAMES, answers, strict=True) if answer]
    return Attack(15, "names of files to be saved", not bad, f"{'; '.join(bad) or 'all saved'}")


def _saved(system: System, name: str, picture: bytes) -> str:
    """Upload an image, wait for it, save it; what was wrong with that, if anything."""
    url = f"{system.url}/api/v1/uploads"
    # By hand: a client's library would not send such a name.
    head = f"--b\r\nContent-Disposition: form-data; name=\"image\"; filename*=UTF-8''{quote(name)}"
    body = f"{head}\r\nContent-Type: image/jpeg\r\n\r\n".encode() + picture + b"\r\n--b--\r\n"
    sent = {**system.authorization(), "Content-Type": "multipart/form-data; boundary=b"}
    answer = requests.post(url, body, headers=sent, timeout=SETTLED_S)
    if not answer.ok:
        return f"upload: {answer.status_code}"
    found: dict[str, Any] = answer.json()

    def over() -> bool:
        nonlocal found
        found = requests.get(f"{url}/{found['id']}", headers=sent, timeout=20).json()
        return found["state"] in {"finished", "failed"}

    wait_until(over, SETTLED_S, "an upload", system)
    saved = requests.get(f"{url}/{found['id']}/pictures/0?download=1", headers=sent, timeout=20)
    disposition = saved.headers.get("Content-Disposition", "")
    forged = "X-Forged" in saved.headers or re.search(r"[\r\n\u202e]", disposition)
    return f"{saved.status_code} {disposition!r}" if forged or not saved.ok else ""


def main() -> None:
    for attack in attacks(attacked_checkout(__doc__ or "")):
        print_attack(attack)


if __name__ == "__main__":
    main()
