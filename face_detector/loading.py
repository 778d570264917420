"""Detectors by name."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from contract.errors import ModelDeviceError, SettingsError
from face_detector.detection import FaceDetector
from face_detector.maskwatch_detector import MaskwatchDetector
from face_detector.ssd import DEFAULT_SCORE_THRESHOLD as SSD_SCORE_THRESHOLD
from face_detector.ssd import SsdDetector
from face_detector.yunet import DEFAULT_SCORE_THRESHOLD as YUNET_SCORE_THRESHOLD
from face_detector.yunet import YuNetDetector
from models.files import find_first, find_model

DETECTORS: Final[tuple[str, ...]] = ("maskwatch", "yunet", "ssd")

SSD_PAIRS: Final = (
    ("ssd-caffe", "ssd-caffe-config"),
    ("ssd-caffe-reconstructed", "ssd-caffe-config"),
    ("ssd-tf", "ssd-tf-config"),
)
"""(weights, description) of the `ssd` detector's forms, the original first."""


def load_detector(
    name: str,
    *,
    models_dir: Path | None = None,
    input_width: int = 640,
    score_threshold: float | None = None,
    device: str = "auto",
    threads: int = 0,
) -> FaceDetector:
    """Load a detector of `DETECTORS`.

    `models_dir` is searched first (see `models.files.search_dirs`). `input_width` is in pixels;
    "ssd" ignores it and always scales to 300x300. `score_threshold` None takes the detector's own.
    `device` is "auto", "cpu" or "cuda"; `threads` 0 means one per core.

    Raises SettingsError for an unknown name, ModelNotFoundError, ModelChecksumError or
    ModelFormatError for unusable files, and ModelDeviceError if the network does not run on the
    wanted device.
    """
    if name == "maskwatch":
        return MaskwatchDetector(
            find_model("face-detector", models_dir),
            input_width=input_width,
            score_threshold=score_threshold,
            device=device,
            threads=threads,
        )
    if name == "yunet":
        return YuNetDetector(
            find_model("yunet", models_dir),
            input_width=input_width,
            score_threshold=_or_default(score_threshold, YUNET_SCORE_THRESHOLD),
            device=device,
            threads=threads,
        )
    if name == "ssd":
        return _load_ssd(models_dir, _or_default(score_threshold, SSD_SCORE_THRESHOLD), device)
    raise SettingsError(f"the detector must be one of {', '.join(DETECTORS)}, not {name!r}")


def _load_ssd(models_dir: Path | None, score_threshold: float, device: str) -> FaceDetector:
    if device == "cuda":
        raise ModelDeviceError(
            "device is 'cuda', but the detector 'ssd' runs in OpenCV, on the processor alone; "
            "choose the detector 'maskwatch' or 'yunet', or set the device to 'cpu'"
        )
    weights, description = find_first(SSD_PAIRS, models_dir)
    return SsdDetector(weights, description, score_threshold=score_threshold)


def _or_default(value: float | None, default: float) -> float:
    return default if value is None else value
