"""The networks' part of a worker's loop: finds faces and looks at them, batched over cameras."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from models.crops import crop_faces
from runtime.tracing import OFF, Tracing
from worker.budget import Budget, urgency
from worker.frame import DetectedFrame, FaceLook, FloatArray, Image, TakenFrame, TrackedFrame
from worker.networks import CLASSIFIED_AT_ONCE, Networks
from worker.verdicts.evidence import (
    LEAST_FACE_PX,
    frontality_of,
    of_judgeable,
    sharpness_of,
    weigh,
)

DEFAULT_BUDGET: Final = Budget(CLASSIFIED_AT_ONCE)

NO_WIDTHS: Final[Mapping[str, int | None]] = MappingProxyType({})

_Chosen = tuple[int, int]
"""A frame's place in its batch, and a face's in its frame."""


class Analyser:
    """Returns the networks' results for frames, and changes nothing."""

    def __init__(
        self, networks: Networks, budget: Budget = DEFAULT_BUDGET, tracing: Tracing = OFF
    ) -> None:
        self._networks = networks
        self._budget = budget
        self._tracing = tracing

    def can_analyse(self, frame: TakenFrame) -> bool:
        """Whether there is the detector that the frame's camera asks for."""
        return self._networks.has_detector(self._detector_of(frame))

    def detect(
        self, batch: Sequence[TakenFrame], widths_px: Mapping[str, int | None] = NO_WIDTHS
    ) -> list[DetectedFrame]:
        """Find the faces of each frame; frames with the same detector and width stand together.

        `widths_px`: the detector's widths by camera id; others get the setting of all cameras.
        """
        groups: dict[tuple[str, int | None], list[TakenFrame]] = defaultdict(list)
        for frame in batch:
            groups[self._detector_of(frame), widths_px.get(frame.camera.id)].append(frame)
        return [
            frame
            for (name, width_px), group in groups.items()
            for frame in self._detect(name, width_px, group)
        ]

    def classify(self, tracked: Sequence[TrackedFrame]) -> list[list[FaceLook]]:
        """Look at the faces that are most worth it; return the looks at each frame's."""
        looks: list[list[FaceLook]] = [[] for _ in tracked]
        chosen = self._chosen(tracked)
        if not chosen:
            return looks
        crops = np.concatenate([self._crop(tracked[number], index) for number, index in chosen])
        traces = [tracked[number].taken.message.trace for number, _ in chosen]
        with self._tracing.span(traces, "classify", batch=len(chosen)):
            probabilities = self._networks.classify(crops)
        for (number, index), crop, row in zip(chosen, crops, probabilities, strict=True):
            looks[number].append(_look(tracked[number], index, crop, row))
        return looks

    def _detector_of(self, frame: TakenFrame) -> str:
        return self._networks.detector_name(frame.camera.detector)

    def _detect(
        self, detector: str, width_px: int | None, group: Sequence[TakenFrame]
    ) -> Iterator[DetectedFrame]:
        traces = [frame.message.trace for frame in group]
        with self._tracing.span(traces, "detect", detector=detector, batch=len(group)):
            found = self._networks.detect(detector, [frame.image for frame in group], width_px)
        sure_score = self._networks.sure_score(detector)
        for frame, detections in zip(group, found, strict=True):
            yield DetectedFrame(frame, detector, detections, sure_score)

    def _chosen(self, tracked: Sequence[TrackedFrame]) -> list[_Chosen]:
        """Of all faces large enough to judge, those that the budget allows, most urgent first."""
        faces = [
            (number, index)
            for number, frame in enumerate(tracked)
            for index in range(len(frame.tracks))
            if frame.height_px(index) >= LEAST_FACE_PX
        ]
        urgencies = [
            urgency(tracked[number].tracks[index], tracked[number].taken.message.captured_at_s)
            for number, index in faces
        ]
        return [faces[place] for place in self._budget.choose(urgencies)]

    def _crop(self, frame: TrackedFrame, index: int) -> npt.NDArray[np.uint8]:
        """One face as the classifier wants it, `(1, S, S, 3)`."""
        classifier = self._networks.classifier
        return crop_faces(
            frame.taken.image,
            frame.detections.boxes[index : index + 1],
            margin=classifier.margin,
            size=classifier.input_size,
        )


def _look(frame: TrackedFrame, index: int, crop: Image, probabilities: FloatArray) -> FaceLook:
    marks = frame.detections.landmarks
    score = float(frame.detections.scores[index])
    sharpness = sharpness_of(crop)
    frontality = frontality_of(None if marks is None else marks[index])
    judged, counts = of_judgeable(probabilities)
    return FaceLook(
        index,
        judged,
        weight=counts * weigh(sharpness, score, frame.sure_score),
        frontality=frontality,
        sharpness=sharpness,
        brightness=float(crop.mean()),
        unjudgeable=float(probabilities[-1]),
    )
