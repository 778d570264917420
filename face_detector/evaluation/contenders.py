"""The detectors to compare: ours, YuNet, the seed's res10, and two peers, where their files are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contract.errors import ModelError, ModelNotFoundError
from face_detector.detection import FaceDetector
from face_detector.evaluation.peers import AIZOO_NAMES, RFB_NAME, AizooPeer, RfbPeer
from face_detector.loading import DETECTORS, load_detector
from models.files import search_dirs

LEAST_SCORE: Final = 0.05
"""Lowest score in the curves: far below any threshold in use."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A detector under its name; `operating_score` is the threshold it serves with, if any."""

    name: str
    detector: FaceDetector
    operating_score: float


def load_contenders(
    names: tuple[str, ...], models_dir: Path | None, side_px: int
) -> tuple[list[Contender], list[str]]:
    """The named detectors at an input of `side_px`, and why others are left out."""
    found, missing = [], []
    for name in names:
        try:
            found.append(_load(name, models_dir, side_px))
        except ModelError as error:
            missing.append(f"{name}: {error}")
    return found, missing


def _load(name: str, models_dir: Path | None, side_px: int) -> Contender:
    if name in PEERS:
        return Contender(name, PEERS[name](models_dir), 0.5)
    detector = load_detector(
        name, models_dir=models_dir, input_width=side_px, score_threshold=LEAST_SCORE, device="cpu"
    )
    return Contender(name, detector, default_score(name, detector))


def default_score(name: str, detector: FaceDetector) -> float:
    """The least score that a detector of `DETECTORS` serves with."""
    from face_detector.maskwatch_detector import MaskwatchDetector
    from face_detector.ssd import DEFAULT_SCORE_THRESHOLD as SSD_SCORE
    from face_detector.yunet import DEFAULT_SCORE_THRESHOLD as YUNET_SCORE

    if isinstance(detector, MaskwatchDetector):
        return detector.spec.score_threshold
    return {"yunet": YUNET_SCORE, "ssd": SSD_SCORE}[name]


def _rfb(models_dir: Path | None) -> FaceDetector:
    return RfbPeer(_find(RFB_NAME, models_dir), score_threshold=LEAST_SCORE)


def _aizoo(models_dir: Path | None) -> FaceDetector:
    weights, description = (_find(name, models_dir) for name in AIZOO_NAMES)
    return AizooPeer(weights, description, score_threshold=LEAST_SCORE)


def _find(name: str, models_dir: Path | None) -> Path:
    for folder in search_dirs(models_dir):
        if (folder / name).is_file():
            return folder / name
    folders = ", ".join(map(str, search_dirs(models_dir)))
    raise ModelNotFoundError(f"{name} is in none of: {folders}; it is only for comparison")


PEERS: Final[dict[str, Callable[[Path | None], FaceDetector]]] = {
    "rfb640-masked": _rfb,
    "aizoo": _aizoo,
}
CONTENDERS: Final = (*DETECTORS, *PEERS)
