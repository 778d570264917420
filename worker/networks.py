"""The networks of one worker, loaded once, timed always."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from contract.errors import ModelError
from contract.people.totals import (
    BATCH_BUCKETS,
    INFERENCE_BUCKETS_S,
    Increments,
    batch_field,
    inference_field,
)
from face_detector.detection import Detections, FaceDetector
from models.mask_classifier import MaskClassifier
from runtime.settings import Settings

Image = npt.NDArray[np.uint8]
CLASSIFIER: Final = "mask_classifier"
CLASSIFIED_AT_ONCE: Final = 32
"""Faces; more gain nothing on a CPU and would keep the largest batch's memory for ever."""

_log = logging.getLogger(__name__)


class Networks:
    """Finds faces and judges them; counts seconds and batch sizes into `totals`.

    The default detector and the classifier load at once, other detectors when first asked for.
    """

    def __init__(
        self,
        detectors: Callable[[str], FaceDetector],
        default_detector: str,
        classifier: MaskClassifier,
    ) -> None:
        """`detectors` loads a detector by name and raises `ModelError` when it cannot."""
        self.totals = Increments()
        self.classifier = classifier
        self._load = detectors
        self._default = default_detector
        self._detectors: dict[str, FaceDetector | ModelError] = {}
        self._detector(default_detector)

    def devices(self) -> dict[str, str]:
        """Which network runs where: name to "cpu" or "cuda"."""
        loaded = [net for net in self._detectors.values() if not isinstance(net, ModelError)]
        return {CLASSIFIER: self.classifier.device, **{net.name: net.device for net in loaded}}

    def detector_name(self, wanted: str | None) -> str:
        """The detector a camera gets that asks for `wanted`."""
        return wanted or self._default

    def has_detector(self, name: str) -> bool:
        """Whether detector `name` can be used; says why not, once."""
        try:
            self._detector(name)
        except ModelError:
            return False
        return True

    def sure_score(self, name: str) -> float:
        """From which score on a detection of `name` may begin a track."""
        return self._detector(name).sure_score

    def detect(
        self, name: str, frames: Sequence[Image], width_px: int | None = None
    ) -> list[Detections]:
        """Find the faces of each frame with detector `name`; see `FaceDetector.detect`."""
        detector = self._detector(name)
        started = time.perf_counter()
        found = detector.detect(frames, width_px)
        self._observe(name, started, len(frames))
        return found

    def classify(self, crops: Image) -> npt.NDArray[np.float32]:
        """Return `(N, 4)` probabilities, in `VERDICTS` order, for `(N, S, S, 3)` crops."""
        parts = []
        for start in range(0, len(crops), CLASSIFIED_AT_ONCE):
            part = crops[start : start + CLASSIFIED_AT_ONCE]
            started = time.perf_counter()
            parts.append(self.classifier.classify(part))
            self._observe(CLASSIFIER, started, len(part))
        return np.concatenate(parts)

    def warm_up(self) -> None:
        """Run each network at its largest, so that no live frame pays for its first buffers."""
        size = self.classifier.input_size
        self.classify(np.zeros((CLASSIFIED_AT_ONCE, size, size, 3), np.uint8))
        self.detect(self._default, [np.zeros((1080, 1920, 3), np.uint8)])
        self.totals.clear()

    def _detector(self, name: str) -> FaceDetector:
        if name not in self._detectors:
            try:
                self._detectors[name] = self._load(name)
            except ModelError as error:
                self._detectors[name] = error
                if name != self._default:
                    _log.error("frames of cameras that ask for %s are dropped: %s", name, error)
        detector = self._detectors[name]
        if isinstance(detector, ModelError):
            raise detector
        return detector

    def _observe(self, network: str, started: float, batch: int) -> None:
        seconds = time.perf_counter() - started
        self.totals.observe(inference_field(network), INFERENCE_BUCKETS_S, seconds)
        self.totals.observe(batch_field(network), BATCH_BUCKETS, batch)


def load_networks(settings: Settings) -> Networks:
    """Load the networks that `settings` name.

    Raises:
        ModelError: the default detector or the classifier cannot be used.
        SettingsError: the wanted device does not exist.
    """
    # Import here, so that importing the types does not load a neural runtime.
    from face_detector.loading import load_detector
    from models.loading import load_classifier

    def detector(name: str) -> FaceDetector:
        return load_detector(
            name,
            models_dir=settings.where_models_are,
            input_width=settings.detector_width,
            score_threshold=settings.detector_threshold if name == settings.detector else None,
            device=settings.device,
            threads=settings.inference_threads,
        )

    classifier = load_classifier(
        settings.classifier_runtime,
        path=settings.classifier_path,
        device=settings.device,
        threads=settings.inference_threads,
    )
    networks = Networks(detector, settings.detector, classifier)
    networks.warm_up()
    return networks
