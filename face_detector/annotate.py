"""Finds a detector's faces on a set of photographs once, and keeps them in a file.

The classifier is trained and measured on the detector's boxes, as in serving, not on labels.
`models` must not import a detector, so it receives these boxes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from face_detector.detection import Detections, FaceDetector
from models.coco import Photograph
from models.labelled_faces import DetectedFace

FORMAT: Final = "maskwatch-faces/1"

Found = dict[str, list[DetectedFace]]
"""Faces by the photograph's file name."""


def annotate(
    photographs: Sequence[Photograph],
    detector: FaceDetector,
    cache: Path,
    setup: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> Found:
    """Return the detector's faces of every photograph, from `cache` if it is valid.

    A damaged cache is replaced, and so is a cache of other files, another detector or another
    `setup` (other influences on the result, such as the input's width). `progress` is called with
    (photographs done, all photographs). Raises DataError like `Photograph.read`.
    """
    fingerprint = _fingerprint(photographs, detector.name, setup)
    found = _read(cache, fingerprint)
    if found is None:
        found = {}
        for number, photograph in enumerate(photographs):
            found[photograph.file_name] = _as_faces(detector.detect([photograph.read()])[0])
            if progress:
                progress(number + 1, len(photographs))
        _write(cache, fingerprint, found)
    return found


def _as_faces(found: Detections) -> list[DetectedFace]:
    return [
        DetectedFace(
            box=found.boxes[i],
            score=float(found.scores[i]),
            landmarks=None if found.landmarks is None else found.landmarks[i],
        )
        for i in range(len(found))
    ]


def _fingerprint(photographs: Sequence[Photograph], name: str, setup: str) -> str:
    digest = hashlib.sha256(repr((FORMAT, name, setup)).encode())
    for photograph in photographs:
        state = photograph.path.stat()
        digest.update(repr((photograph.file_name, state.st_size, state.st_mtime_ns)).encode())
    return digest.hexdigest()


def _read(cache: Path, fingerprint: str) -> Found | None:
    try:
        record: dict[str, Any] = json.loads(cache.read_text(encoding="utf-8"))
        if record["fingerprint"] != fingerprint:
            return None
        return {
            name: [
                DetectedFace(
                    np.array(box, np.float32),
                    score,
                    None if landmarks is None else np.array(landmarks, np.float32),
                )
                for box, score, landmarks in faces
            ]
            for name, faces in record["faces"].items()
        }
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(cache: Path, fingerprint: str, found: Found) -> None:
    """Write the file whole or not at all."""
    faces = {
        name: [
            (
                face.box.round(2).tolist(),
                round(face.score, 4),
                None if face.landmarks is None else face.landmarks.round(2).tolist(),
            )
            for face in faces
        ]
        for name, faces in found.items()
    }
    cache.parent.mkdir(parents=True, exist_ok=True)
    part = cache.with_name(f"part-{cache.name}")
    part.write_text(json.dumps({"fingerprint": fingerprint, "faces": faces}))
    part.replace(cache)
