"""The loop that Maskwatch grew out of, written anew as it was, to be measured against.

Read a frame, scale it to 400 pixels wide, find faces with res10 at 300x300 in OpenCV, cut them out,
scale them to 224, and ask Keras' MobileNetV2 with `model.predict`, once for each frame that has
faces. No tracking, no counting, one process. The mask network's weights are ImageNet's or none:
what it says is not looked at, and its cost does not depend on them.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.system import SHARED
from contract.errors import ModelNotFoundError
from face_detector.loading import SSD_PAIRS
from models.files import find_first
from runtime.settings import load_settings

Image = npt.NDArray[np.uint8]

WIDTH: Final = 400
DETECTOR_SIDE: Final = 300
FACE_SIDE: Final = 224
MEAN_BGR: Final = (104.0, 177.0, 123.0)
SHIPPED_THRESHOLD: Final = 0.9
CAFFE_PAIRS: Final = SSD_PAIRS[:2]
OWN_THRESHOLD: Final = 0.5
"""The seed's own default, had its command line been used."""


@dataclass
class SeedRun:
    """What the loop did within a span of time."""

    seconds: float = 0.0
    cpu_s: float = 0.0
    frames: int = 0
    faces: int = 0
    by_part_s: dict[str, float] = field(default_factory=dict)

    @property
    def fps(self) -> float:
        return self.frames / self.seconds

    @property
    def faces_per_s(self) -> float:
        return self.faces / self.seconds


class SeedLoop:
    """The seed's networks, loaded once, and its loop."""

    def __init__(self) -> None:
        backbone = SHARED / "weights" / "mobilenet_v2_imagenet_notop.weights.h5"
        caffe, description = _detector_files()
        self._detector = cv2.dnn.readNetFromCaffe(str(description), str(caffe))
        self._classifier = _mask_network(backbone)
        self._classifier.predict(np.zeros((1, FACE_SIDE, FACE_SIDE, 3), np.float32), verbose=0)

    def run(self, film: Path, seconds: float, threshold: float) -> SeedRun:
        """Loop over a film for some seconds; faces of at least `threshold` are classified."""
        result, capture = SeedRun(), cv2.VideoCapture(str(film))
        began_s, cpu_s = time.monotonic(), time.process_time()
        while time.monotonic() - began_s < seconds:
            read, frame = capture.read()
            if not read:
                capture.release()
                capture = cv2.VideoCapture(str(film))
                continue
            result.faces += self._judge(np.asarray(frame, np.uint8), threshold)
            result.frames += 1
        result.seconds = time.monotonic() - began_s
        result.cpu_s = time.process_time() - cpu_s
        capture.release()
        return result

    def _judge(self, frame: Image, threshold: float) -> int:
        """Find and classify the faces of one frame; return how many."""
        height = round(frame.shape[0] * WIDTH / frame.shape[1])
        small = cv2.resize(frame, (WIDTH, height), interpolation=cv2.INTER_AREA)
        side = (DETECTOR_SIDE, DETECTOR_SIDE)
        self._detector.setInput(cv2.dnn.blobFromImage(small, 1.0, side, MEAN_BGR))
        rows = np.asarray(self._detector.forward(), np.float32).reshape(-1, 7)
        faces = []
        for row in rows[rows[:, 2] > threshold]:
            box = (row[3:] * np.array([WIDTH, height, WIDTH, height])).astype(int)
            left, top = max(0, box[0]), max(0, box[1])
            face = small[top : min(height - 1, box[3]), left : min(WIDTH - 1, box[2])]
            if face.size:
                rgb = cv2.cvtColor(face, cv2.COLOR_BGR2RGB)
                scaled = cv2.resize(rgb, (FACE_SIDE, FACE_SIDE)).astype(np.float32)
                faces.append(scaled / 127.5 - 1.0)
        if faces:
            self._classifier.predict(np.array(faces, np.float32), batch_size=32, verbose=0)
        return len(faces)


def _detector_files() -> tuple[Path, Path]:
    """Weights and description of res10 in Caffe form: beside the project, or pulled."""
    beside = SHARED / "weights"
    pair = beside / "res10_reconstructed.caffemodel", beside / "res10_deploy.prototxt"
    if all(path.is_file() for path in pair):
        return pair
    try:
        weights, description = find_first(CAFFE_PAIRS, load_settings().where_models_are)
    except ModelNotFoundError as error:
        raise SystemExit(f"the seed's detector is missing: {error}") from None
    return weights, description


def _mask_network(weights: Path) -> Any:
    """MobileNetV2 at 224 with the seed's head of two classes."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from tensorflow import keras

    shape = (FACE_SIDE, FACE_SIDE, 3)
    base = keras.applications.MobileNetV2(
        input_shape=shape, include_top=False, weights=str(weights) if weights.is_file() else None
    )
    head = keras.layers.AveragePooling2D(pool_size=(7, 7))(base.output)
    head = keras.layers.Flatten()(head)
    head = keras.layers.Dense(128, activation="relu")(head)
    head = keras.layers.Dropout(0.5)(head)
    return keras.Model(base.input, keras.layers.Dense(2, activation="softmax")(head))
