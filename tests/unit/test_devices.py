"""The device that was asked for is the one that networks run on, or somebody says so."""

from __future__ import annotations

import logging
from typing import Any

import onnxruntime as ort
import pytest

from contract.errors import ModelDeviceError, ModelError, ModelNotFoundError, SettingsError
from face_detector.loading import load_detector
from models import tensorflow_classifier
from models.files import find_model
from models.loading import load_classifier
from models.onnx_session import open_session
from runtime.settings import load_settings
from worker.networks import load_networks


@pytest.fixture
def without_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """An ONNX Runtime that offers CUDA and cannot use it, as onnxruntime-gpu without a driver."""
    offered = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(ort, "get_available_providers", lambda: offered)


@pytest.mark.usefixtures("without_driver")
@pytest.mark.parametrize("name", ["mask classifier", "maskwatch", "yunet"])
def test_a_network_that_got_no_gpu_ends_with_an_error_where_one_was_demanded(
    name: str,
) -> None:
    def load(device: str) -> Any:
        if name == "mask classifier":
            return load_classifier(device=device)
        return load_detector(name, device=device)

    try:
        assert load("cpu").device == "cpu"
    except ModelNotFoundError as error:
        pytest.skip(f"needs a network that is not here: {error}")
    with pytest.raises(ModelDeviceError, match="driver") as caught:
        load("cuda")
    assert isinstance(caught.value, SettingsError)


@pytest.mark.usefixtures("without_driver")
def test_a_worker_that_is_to_take_what_there_is_says_that_it_got_no_gpu(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        networks = load_networks(load_settings(device="auto"))
    assert set(networks.devices().values()) == {"cpu"}
    assert "cannot use a GPU" in caplog.text


@pytest.mark.usefixtures("without_driver")
def test_a_worker_that_is_to_use_a_gpu_does_not_start_without() -> None:
    with pytest.raises(ModelDeviceError):
        load_networks(load_settings(device="cuda"))


def test_a_processor_that_was_asked_for_warns_nobody(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        open_session(find_model("mask-classifier"), device="cpu", threads=1)
        open_session(find_model("mask-classifier"), device="auto", threads=1)
    assert caplog.text == ""


def test_the_detector_that_runs_on_processors_alone_refuses_a_gpu() -> None:
    with pytest.raises(ModelDeviceError, match="OpenCV"):
        load_detector("ssd", device="cuda")


def test_a_missing_gpu_is_an_error_of_a_network_and_of_a_setting() -> None:
    with pytest.raises(ModelError):
        load_classifier(device="cuda")
    with pytest.raises(SettingsError, match="onnxruntime-gpu"):
        load_classifier(device="cuda")


def test_tensorflow_that_runs_elsewhere_than_told_ends_with_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("tensorflow")
    monkeypatch.setattr(tensorflow_classifier, "_prepare_tensorflow", lambda *_: "cuda")
    with pytest.raises(ModelDeviceError, match="CPU"):
        load_classifier("tensorflow", device="cuda")
