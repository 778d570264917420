"""Networks' answers that are kept on disk are the networks' own, and never stale."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.truth.films import sampled
from benchmarks.truth.looks import Seen, followed
from benchmarks.truth.memory import Memory, RememberedClassifier, remembering
from runtime.settings import load_settings

Image = npt.NDArray[np.uint8]


class CountingClassifier:
    labels = ("mask", "incorrect", "no_mask")
    input_size, margin, threshold, device = 8, 0.1, 0.7, "cpu"

    def __init__(self) -> None:
        self.asked = 0

    def classify(self, crops: Image) -> npt.NDArray[np.float32]:
        self.asked += len(crops)
        brightness = crops.reshape(len(crops), -1).mean(axis=1) / 255
        return np.stack([brightness, 0 * brightness, 1 - brightness], axis=1).astype(np.float32)


def crops_of(*levels: int) -> Image:
    return np.stack([np.full((8, 8, 3), level, np.uint8) for level in levels])


def test_a_crop_is_judged_once_and_answers_keep_their_order(tmp_path: Path) -> None:
    weights, classifier = tmp_path / "weights.onnx", CountingClassifier()
    weights.write_bytes(b"first")
    memory = Memory(tmp_path / "answers.sqlite")
    remembered = RememberedClassifier(classifier, weights, memory)
    remembered.classify(crops_of(10, 20))
    answers = remembered.classify(crops_of(30, 20, 10))
    assert classifier.asked == 3
    assert answers == pytest.approx(CountingClassifier().classify(crops_of(30, 20, 10)))


def test_another_network_is_asked_anew(tmp_path: Path) -> None:
    weights, classifier = tmp_path / "weights.onnx", CountingClassifier()
    memory = Memory(tmp_path / "answers.sqlite")
    for content in (b"first", b"second", b"second"):
        weights.write_bytes(content)
        RememberedClassifier(classifier, weights, memory).classify(crops_of(10))
    assert classifier.asked == 2


def test_a_changed_width_of_the_detector_is_another_question(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "answers.sqlite")
    frame = np.random.default_rng(1).integers(0, 255, (90, 160, 3), np.uint8)
    for width in (160, 192, 160):
        settings = load_settings().model_copy(update={"detector_width": width})
        networks = remembering(settings, memory)
        networks.detect(networks.detector_name(None), [frame])
    assert memory.count() == 2


def test_looks_at_a_lower_rate_are_those_of_the_frames_that_ingest_hands_on() -> None:
    times_s = np.arange(50) / 25
    frames = np.repeat(np.arange(50), 2)
    boxes = np.tile(np.array([[10, 10, 40, 50], [100, 10, 130, 50]], np.float32), (50, 1))
    looks = {"frame": frames, "box": boxes, "score": np.full(100, 0.9, np.float32)}
    record = followed(Seen((160, 90), times_s, looks, []), 5.0, sure=0.5)
    assert list(record["frames"]) == list(np.flatnonzero(sampled(times_s, 5.0)))
    assert set(record["track"]) == {1, 2}
    assert list(record["nobody"]) == ["", ""]
    assert (record["time_s"] == times_s[record["frame"]]).all()
