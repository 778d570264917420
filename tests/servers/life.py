"""What somebody does with the whole system, by its API."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
from skimage.data import astronaut
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from tests.servers.clips import make_clip
from tests.servers.stages import Api


def answers(api: Api) -> bool:
    try:
        return bool(api.send("/healthz"))
    except OSError:
        return False


def picture_of(api: Api, camera_id: str) -> bool:
    try:
        return len(api.send(f"/cameras/{camera_id}/snapshot.jpg")) > 1000
    except OSError:
        return False


def send_recording(api: Api, folder: Path) -> bool:
    """Whether a recording was taken; it is not before a process for recordings is there."""
    clip = make_clip(folder / "hall.mp4", seconds=1).read_bytes()
    try:
        return bool(api.send("/api/v1/recordings?name=hall.mp4", clip))
    except OSError:
        return False


def upload(api: Api) -> Any:
    """A public-domain portrait, looked at."""
    _, portrait = cv2.imencode(".jpg", astronaut()[..., ::-1])
    file = FileStorage(BytesIO(portrait.tobytes()), "photo.jpg", "image")
    boundary, body = encode_multipart({"image": file})
    kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    try:
        answer = json.loads(api.send("/api/v1/uploads", body, kind))
    except OSError:  # no process for images is there yet
        answer = {}
    return answer if "images" in answer else {"images": [{"faces": []}]}
