"""A Keras file of the demo that Maskwatch grew out of can be given and runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contract.errors import ModelFormatError, ModelNotFoundError, SettingsError
from models.loading import load_classifier
from models.mask_classifier import ClassifierSpec
from models.tensorflow_classifier import SEED_SPEC

keras = pytest.importorskip("keras", reason="needs Keras, which is not installed")


@pytest.fixture(scope="module")
def seed_network() -> Any:
    """MobileNetV2 at 224 with the demo's head: pooling, a dense layer, softmax over two."""
    keras.utils.set_random_seed(1)
    base = keras.applications.MobileNetV2(
        include_top=False, weights=None, input_shape=(224, 224, 3)
    )
    x = keras.layers.AveragePooling2D((7, 7))(base.output)
    x = keras.layers.Dense(16, activation="relu")(keras.layers.Flatten()(x))
    outputs = keras.layers.Dense(2, activation="softmax")(x)
    return keras.Model(base.input, outputs)


def small_network(outputs: int = 2, side: int = 32) -> Any:
    inputs = keras.Input((side, side, 3))
    x = keras.layers.GlobalAveragePooling2D()(inputs)
    return keras.Model(inputs, keras.layers.Dense(outputs, activation="softmax")(x))


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_the_demos_file_runs_as_it_ran_there(
    tmp_path: Path, seed_network: Any, suffix: str
) -> None:
    path = tmp_path / f"mask_detector{suffix}"
    seed_network.save(path)
    crops = np.random.default_rng(3).integers(0, 256, (3, 224, 224, 3), np.uint8)

    classifier = load_classifier("tensorflow", path=path, device="cpu")
    judged = classifier.classify(crops)

    preprocess = keras.applications.mobilenet_v2.preprocess_input
    there = seed_network.predict(preprocess(crops[..., ::-1].astype(np.float32)), verbose=0)
    assert (classifier.input_size, classifier.margin) == (224, 0.0)
    np.testing.assert_allclose(judged[:, [0, 2]], there, atol=1e-4)
    assert judged[:, 1].tolist() == [0, 0, 0]


def test_a_json_beside_the_file_says_another_label_order(tmp_path: Path) -> None:
    path = tmp_path / "mine.keras"
    network = small_network()
    network.save(path)
    spec = ClassifierSpec(("no_mask", "mask"), "RGB", 32, 0.1, 1.0, 0.9, "-1..1", "probabilities")
    path.with_suffix(".json").write_text(json.dumps(spec.to_metadata()))
    crops = np.random.default_rng(4).integers(0, 256, (2, 32, 32, 3), np.uint8)

    classifier = load_classifier("tensorflow", path=path, device="cpu")

    pixels = crops[..., ::-1].astype(np.float32) / 127.5 - 1
    there = network.predict(pixels, verbose=0)
    np.testing.assert_allclose(classifier.classify(crops)[:, [2, 0]], there, atol=1e-5)
    assert (classifier.threshold, classifier.margin) == (0.9, 0.1)


def _seed_without_json(path: Path) -> None:
    small_network().save(path)


def _three_outputs_said_for_two(path: Path) -> None:
    small_network().save(path)
    spec = ClassifierSpec(("mask", "incorrect", "no_mask"), "RGB", 32, 0.1, 1.0)
    path.with_suffix(".json").write_text(json.dumps(spec.to_metadata()))


def _broken_json(path: Path) -> None:
    small_network().save(path)
    path.with_suffix(".json").write_text("{")


def _no_network(path: Path) -> None:
    path.write_bytes(b"PK\x03\x04 cut short")


@pytest.mark.parametrize(
    ("prepare", "error", "complaint"),
    [
        (_seed_without_json, ModelNotFoundError, r"other\.json is missing.*\(224, 224, 3\)"),
        (_three_outputs_said_for_two, ModelFormatError, r"other\.keras takes.*other\.json says"),
        (_broken_json, ModelFormatError, r"other\.json is not JSON"),
        (_no_network, ModelFormatError, r"other\.keras cannot be opened"),
    ],
)
def test_a_keras_file_that_cannot_be_used_is_said_plainly(
    tmp_path: Path, prepare: Callable[[Path], None], error: type[Exception], complaint: str
) -> None:
    path = tmp_path / "other.keras"
    prepare(path)

    with pytest.raises(error, match=complaint):
        load_classifier("tensorflow", path=path, device="cpu")


def test_the_onnx_runtime_says_which_runtime_takes_a_keras_file(tmp_path: Path) -> None:
    path = tmp_path / "mask_detector.h5"
    path.touch()

    with pytest.raises(SettingsError, match="MASKWATCH_CLASSIFIER_RUNTIME=tensorflow"):
        load_classifier("onnx", path=path)


def test_the_seeds_order_is_with_mask_first() -> None:
    assert SEED_SPEC.labels == ("mask", "no_mask")
