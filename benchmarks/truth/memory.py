"""Networks that remember their answers on disk, so that only what changed is computed again.

An answer belongs to the pixels that were asked about, to the network's file and settings, and to
the code around it: change any of them and the question is a new one. Tracks and verdicts are
computed anew every time.
"""

from __future__ import annotations

import hashlib
import io
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks.system import ROOT
from face_detector.detection import Detections
from face_detector.loading import SSD_PAIRS, load_detector
from models.files import find_first, find_model
from models.loading import load_classifier
from models.mask_classifier import MaskClassifier
from runtime.settings import Settings
from worker.networks import Networks

Image = npt.NDArray[np.uint8]
Probabilities = npt.NDArray[np.float32]

FILE: Final = ROOT / "out" / "truth" / "answers.sqlite"


class Memory:
    """Arrays by key, in one file. Belongs to one thread."""

    def __init__(self, path: Path = FILE) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._answers = sqlite3.connect(path, timeout=60, isolation_level=None)
        self._answers.execute("PRAGMA journal_mode = WAL")
        self._answers.execute("PRAGMA synchronous = OFF")
        self._answers.execute("CREATE TABLE IF NOT EXISTS answers (key BLOB PRIMARY KEY, a BLOB)")

    def get(self, key: bytes) -> dict[str, Any] | None:
        """Return the arrays put under `key`."""
        row = self._answers.execute("SELECT a FROM answers WHERE key = ?", (key,)).fetchone()
        return dict(np.load(io.BytesIO(row[0]))) if row else None

    def count(self) -> int:
        """Answers kept."""
        return int(self._answers.execute("SELECT count(*) FROM answers").fetchone()[0])

    def put(self, key: bytes, **arrays: Any) -> None:
        """Keep arrays under `key`."""
        written = io.BytesIO()
        np.savez(written, **arrays)
        self._answers.execute("REPLACE INTO answers VALUES (?, ?)", (key, written.getvalue()))


class RememberedDetector:
    """A detector that is asked once about each frame."""

    def __init__(self, name: str, settings: Settings, memory: Memory) -> None:
        self._detector = load_detector(
            name,
            models_dir=settings.where_models_are,
            input_width=settings.detector_width,
            score_threshold=settings.detector_threshold if name == settings.detector else None,
            device=settings.device,
            threads=settings.inference_threads,
        )
        self.name, self.device = self._detector.name, self._detector.device
        self.sure_score = self._detector.sure_score
        self._memory = memory
        weights = detector_files(name, settings.where_models_are)
        setup = f"{name} {settings.detector_width} {settings.detector_threshold} {self.device}"
        self._setup = _digest(setup, [*weights, *code("face_detector"), *code("models")])
        self._last: tuple[Image, int | None, Detections] | None = None
        """Several analyses of a clip ask about the same frame one after the other."""

    def detect(self, frames: Sequence[Image], width_px: int | None = None) -> list[Detections]:
        found = []
        for frame in frames:
            if self._last is None or self._last[0] is not frame or self._last[1] != width_px:
                self._last = frame, width_px, self._detect(frame, width_px)
            found.append(self._last[2])
        return found

    def _detect(self, frame: Image, width_px: int | None) -> Detections:
        setup = self._setup if width_px is None else self._setup + width_px.to_bytes(4)
        key = _key(setup, frame)
        known = self._memory.get(key)
        if known is not None:
            return Detections(known["boxes"], known["scores"], known.get("landmarks"))
        [found] = self._detector.detect([frame], width_px)
        marks = {} if found.landmarks is None else {"landmarks": found.landmarks}
        self._memory.put(key, boxes=found.boxes, scores=found.scores, **marks)
        return found


class RememberedClassifier:
    """A classifier that is asked once about each crop."""

    def __init__(self, classifier: MaskClassifier, weights: Path, memory: Memory) -> None:
        self._classifier, self._memory = classifier, memory
        self.labels, self.input_size = classifier.labels, classifier.input_size
        self.margin, self.threshold = classifier.margin, classifier.threshold
        self.device = classifier.device
        self._setup = _digest(self.device, [weights, *code("models")])

    def classify(self, crops: Image) -> Probabilities:
        keys = [_key(self._setup, crop) for crop in crops]
        known = [self._memory.get(key) for key in keys]
        new = [index for index, answer in enumerate(known) if answer is None]
        fresh = self._classifier.classify(crops[new]) if new else crops[:0]
        for index, row in zip(new, fresh, strict=True):
            known[index] = {"row": row}
            self._memory.put(keys[index], row=row)
        rows = [answer["row"] for answer in known if answer is not None]
        return np.array(rows, np.float32) if rows else self._classifier.classify(crops)


def remembering(settings: Settings, memory: Memory) -> Networks:
    """Load what `settings` ask for, as `worker.networks.load_networks` does."""
    weights = settings.classifier_path or find_model(
        "mask-classifier" if settings.classifier_runtime == "onnx" else "mask-classifier-keras"
    )
    classifier = load_classifier(
        settings.classifier_runtime,
        path=settings.classifier_path,
        device=settings.device,
        threads=settings.inference_threads,
    )
    return Networks(
        lambda name: RememberedDetector(name, settings, memory),
        settings.detector,
        RememberedClassifier(classifier, weights, memory),
    )


def detector_files(name: str, models_dir: Path | None) -> list[Path]:
    """The files of a detector's network."""
    if name == "ssd":
        return find_first(SSD_PAIRS, models_dir)
    return [find_model({"maskwatch": "face-detector"}.get(name, name), models_dir)]


def code(package: str) -> list[Path]:
    """The files of code and metadata of a package that say how a network is run."""
    folder = ROOT / package
    return sorted([*folder.glob("*.py"), *folder.glob("weights/*.json")])


def _digest(setup: str, files: Iterable[Path]) -> bytes:
    digest = hashlib.sha256(setup.encode())
    for file in files:
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.digest()


def _key(setup: bytes, pixels: Image) -> bytes:
    digest = hashlib.blake2b(setup, digest_size=20)
    digest.update(repr(pixels.shape).encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.digest()
