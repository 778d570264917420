"""Run detectors over photographs, one after the other on each, and time them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from face_detector.detection import Detections
from face_detector.evaluation.accuracy import Judged, judge
from face_detector.evaluation.contenders import Contender
from face_detector.evaluation.inputs import padded_to, scaled_to
from models.coco import Photograph


@dataclass
class Measured:
    """A detector's results: detections and judgements for each photograph.

    milliseconds: of each photograph, from the scaled image to boxes.
    """

    contender: Contender
    detections: list[Detections] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)

    @property
    def median_ms(self) -> float:
        return float(np.median(self.milliseconds))

    def of_source(self, source: str) -> list[Judged]:
        return [one for one in self.judged if one.photograph.source == source]


def measure(
    contenders: Sequence[Contender],
    photographs: Sequence[Photograph],
    side_px: int,
    progress: Callable[[int], None] | None = None,
) -> list[Measured]:
    """Give every contender every photograph with its longer side at `side_px`.

    Contenders take turns on each photograph, so that what else the machine does falls on all
    of them. `progress` is called with the photographs done.
    """
    measured = [Measured(contender) for contender in contenders]
    for number, photograph in enumerate(photographs):
        image, scale = scaled_to(photograph.read(), side_px)
        # Our detectors scale to a width; so an upright image gets black to its right.
        upright = padded_to(image, side_px, image.shape[0])
        for one in measured:
            detector = one.contender.detector
            scales_to_width = detector.name in {"maskwatch", "yunet"}
            began = time.perf_counter()
            [found] = detector.detect([upright if scales_to_width else image])
            one.milliseconds.append((time.perf_counter() - began) * 1e3)
            one.detections.append(_in_photograph(found, scale, photograph))
            one.judged.append(judge(photograph, one.detections[-1]))
        if progress:
            progress(number + 1)
    return measured


def _in_photograph(found: Detections, scale: float, photograph: Photograph) -> Detections:
    """Detections in the photograph's own pixels, and inside of it."""
    limits = np.array([photograph.width, photograph.height] * 2, np.float32)
    boxes = np.clip(found.boxes / np.float32(scale), np.float32(0), limits)
    fine = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    landmarks = None if found.landmarks is None else found.landmarks[fine] / np.float32(scale)
    return Detections(boxes[fine], found.scores[fine], landmarks)
