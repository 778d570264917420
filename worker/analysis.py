"""Detect, track, classify, vote: from frames to outcomes, batched over cameras."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from contract.people.faces import Face, FrameFaces
from contract.people.outcomes import Outcome
from contract.people.totals import AGE_BUCKETS_S, age_field, frames_field
from face_detector.detection import Detections
from models.crops import crop_faces
from runtime.tracing import OFF, Tracing
from worker.budget import Budget, urgency
from worker.camera import OwnedCamera
from worker.drawing import annotate
from worker.intake import TakenFrame
from worker.networks import CLASSIFIED_AT_ONCE, Networks
from worker.tracking import people
from worker.tracking.track import Track
from worker.tracking.zones import layout_of
from worker.verdicts.evidence import LEAST_FACE_PX, frontality_of, sharpness_of, weigh

FloatArray = npt.NDArray[np.float32]

DEFAULT_BUDGET: Final = Budget(CLASSIFIED_AT_ONCE)


@dataclass(frozen=True)
class TrackedFrame:
    """A frame with its detections and whose they are."""

    taken: TakenFrame
    detector: str
    detections: Detections
    tracks: list[Track]
    """The track of each detection, in order."""
    ended: list[Track]

    def height_px(self, index: int) -> float:
        """Of one face."""
        box = self.detections.boxes[index]
        return float(box[3] - box[1])


class Analyser:
    """The networks' part of a worker's loop. Belongs to one thread."""

    def __init__(
        self,
        networks: Networks,
        clock: Callable[[], float] = time.time,
        budget: Budget = DEFAULT_BUDGET,
        tracing: Tracing = OFF,
    ) -> None:
        self._networks = networks
        self._clock = clock
        self._budget = budget
        self._tracing = tracing

    def analyse(
        self, batch: Sequence[TakenFrame], watched: Mapping[str, int]
    ) -> list[tuple[OwnedCamera, Outcome]]:
        """Return each frame's outcome, drawn as well where its camera id is in `watched`.

        `watched` has the width in pixels that a camera is looked at in.
        """
        tracked = [frame for group in self._by_detector(batch) for frame in self._track(*group)]
        self._vote(tracked)
        return [
            (frame.taken.owned, self._outcome(frame, _shown_width(frame.taken, watched)))
            for frame in tracked
        ]

    def flush(self, owned: OwnedCamera) -> Outcome:
        """Return the outcome of a camera gone quiet: its tracks end, what it dropped counts."""
        return self._without_frame(owned, owned.tracker.end_all(), flush=True)

    def only_drops(self, owned: OwnedCamera) -> Outcome:
        """Return the outcome of frames that were all dropped."""
        return self._without_frame(owned, [], flush=False)

    def _by_detector(self, batch: Sequence[TakenFrame]) -> Iterable[tuple[str, list[TakenFrame]]]:
        groups: dict[str, list[TakenFrame]] = defaultdict(list)
        for taken in batch:
            name = self._networks.detector_name(taken.owned.camera.detector)
            if self._networks.has_detector(name):
                groups[name].append(taken)
            else:
                taken.owned.drop(taken.message, "no_network")
        return groups.items()

    def _track(self, detector: str, group: list[TakenFrame]) -> Iterable[TrackedFrame]:
        traces = [taken.message.trace for taken in group]
        with self._tracing.span(traces, "detect", detector=detector, batch=len(group)):
            found = self._networks.detect(detector, [taken.image for taken in group])
        sure = self._networks.sure_score(detector)
        for taken, everything in zip(group, found, strict=True):
            with self._tracing.span([taken.message.trace], "track"):
                tracked = _tracked(taken, detector, everything, sure)
            yield tracked

    def _vote(self, tracked: Sequence[TrackedFrame]) -> None:
        faces = [
            (frame, index)
            for frame in tracked
            for index in range(len(frame.tracks))
            if frame.height_px(index) >= LEAST_FACE_PX
        ]
        urgencies = [
            urgency(frame.tracks[index], frame.taken.message.captured_at_s)
            for frame, index in faces
        ]
        chosen = [faces[number] for number in self._budget.choose(urgencies)]
        if not chosen:
            return
        crops = np.concatenate([self._crop(frame, index) for frame, index in chosen])
        traces = [frame.taken.message.trace for frame, _ in chosen]
        with self._tracing.span(traces, "classify", batch=len(chosen)):
            probabilities = self._networks.classify(crops)
        for (frame, index), crop, row in zip(chosen, crops, probabilities, strict=True):
            marks = frame.detections.landmarks
            sharpness = sharpness_of(crop)
            frontality = frontality_of(None if marks is None else marks[index])
            frame.taken.owned.condition.look_at_face(crop, frontality, sharpness)
            weight = weigh(frame.height_px(index), sharpness, frontality)
            track = frame.tracks[index]
            track.votes = track.votes.add(row, weight, frame.taken.message.captured_at_s)

    def _crop(self, frame: TrackedFrame, index: int) -> npt.NDArray[np.uint8]:
        """One face as the classifier wants it, `(1, S, S, 3)`."""
        classifier = self._networks.classifier
        return crop_faces(
            frame.taken.image,
            frame.detections.boxes[index : index + 1],
            margin=classifier.margin,
            size=classifier.input_size,
        )

    def _outcome(self, frame: TrackedFrame, view_width: int | None) -> Outcome:
        taken, now_s = frame.taken, self._clock()
        owned, message = taken.owned, taken.message
        faces = FrameFaces(
            camera_id=message.camera_id,
            sequence=message.sequence,
            frame_index=message.frame_index,
            captured_at_s=message.captured_at_s,
            analysed_at_s=now_s,
            width=taken.image.shape[1],
            height=taken.image.shape[0],
            detector=frame.detector,
            faces=tuple(
                _face(box, score, track)
                for box, score, track in zip(
                    frame.detections.boxes, frame.detections.scores, frame.tracks, strict=True
                )
            ),
        )
        increments, dropped = owned.take_drops(message.sequence)
        increments.add(frames_field("analysed"))
        age_s = max(0.0, now_s - message.captured_at_s)
        increments.observe(age_field("analysed"), AGE_BUCKETS_S, age_s)
        owned.note_analysed(message.captured_at_s, len(frame.tracks))
        counted = people.count(frame.ended, bool(owned.camera.zones), increments)
        owned.condition.learn(counted)
        owned.sequence = message.sequence
        return Outcome(
            sequence=message.sequence,
            explained=dropped + 1,
            increments=increments,
            tracker_state=owned.tracker.encode(),
            faces=faces,
            annotated_jpeg=self._drawn(taken, faces, view_width) if view_width else b"",
            minutes=owned.take_minutes(),
            people=counted,
            condition=owned.condition.take_record(message.captured_at_s),
            trace=message.trace,
        )

    @staticmethod
    def _drawn(taken: TakenFrame, faces: FrameFaces, width: int) -> bytes:
        layout = layout_of(taken.owned.camera, (faces.width, faces.height))
        return annotate(taken.image, faces.faces, layout, width)

    @staticmethod
    def _without_frame(owned: OwnedCamera, ended: list[Track], flush: bool) -> Outcome:
        increments, dropped = owned.take_drops(owned.sequence)
        counted = people.count(ended, bool(owned.camera.zones), increments)
        owned.condition.learn(counted)
        return Outcome(
            sequence=owned.sequence,
            explained=dropped,
            increments=increments,
            tracker_state=owned.tracker.encode(),
            flush=flush,
            minutes=owned.take_minutes(),
            people=counted,
        )


def _tracked(taken: TakenFrame, detector: str, everything: Detections, sure: float) -> TrackedFrame:
    height, width = taken.image.shape[:2]
    time_s = taken.message.captured_at_s
    taken.owned.condition.see(taken.image, time_s)
    layout = layout_of(taken.owned.camera, (width, height))
    detections = layout.without_ignored(everything)
    whose, ended = taken.owned.tracker.update(
        detections.boxes, time_s, (width, height), detections.scores, sure
    )
    tracks = [track for track in whose if track]
    detections = detections.where(np.array([bool(track) for track in whose], bool))
    for track, box in zip(tracks, detections.boxes, strict=True):
        layout.follow(track, box, time_s)
    return TrackedFrame(taken, detector, detections, tracks, ended)


def _shown_width(taken: TakenFrame, watched: Mapping[str, int]) -> int | None:
    return None if taken.late else watched.get(taken.owned.camera.id)


def _face(box: FloatArray, score: np.float32, track: Track) -> Face:
    x_min, y_min, x_max, y_max = (round(float(edge), 1) for edge in box)
    return Face(
        box=(x_min, y_min, x_max, y_max),
        score=round(float(score), 4),
        verdict=track.verdict,
        confidence=round(track.votes.confidence, 4),
        track_id=track.id,
    )
