"""Detect, track, classify, vote: from frames to outcomes, batched over cameras."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from contract.outcomes import Face, FrameFaces, Outcome
from contract.people import Person
from contract.totals import (
    AGE_BUCKETS_S,
    Increments,
    age_field,
    discarded_field,
    frames_field,
    people_field,
)
from face_detector.detection import Detections
from models.crops import crop_faces
from worker.camera import OwnedCamera
from worker.drawing import annotate
from worker.intake import TakenFrame
from worker.networks import Networks
from worker.tracking import Track
from worker.votes import LEAST_FACE_PX

FloatArray = npt.NDArray[np.float32]

SETTLED_RECHECK_S: Final = 1.0
"""A settled face is looked at again this often, in case a mask went on or off."""
DISCARDED_FIELD: Final = discarded_field("flicker")


@dataclass(frozen=True)
class TrackedFrame:
    """A frame with its detections and whose they are."""

    taken: TakenFrame
    detector: str
    detections: Detections
    tracks: list[Track]
    """The track of each detection, in order."""
    ended: list[Track]


class Analyser:
    """The networks' part of a worker's loop. Belongs to one thread."""

    def __init__(self, networks: Networks, clock: Callable[[], float] = time.time) -> None:
        self._networks = networks
        self._clock = clock

    def analyse(
        self, batch: Sequence[TakenFrame], watched: frozenset[str]
    ) -> list[tuple[OwnedCamera, Outcome]]:
        """Return each frame's outcome; frames of `watched` camera ids are drawn as well."""
        tracked = [frame for group in self._by_detector(batch) for frame in self._track(*group)]
        self._vote(tracked)
        return [
            (frame.taken.owned, self._outcome(frame, frame.taken.owned.camera.id in watched))
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
        found = self._networks.detect(detector, [taken.image for taken in group])
        for taken, detections in zip(group, found, strict=True):
            height, width = taken.image.shape[:2]
            tracks, ended = taken.owned.tracker.update(
                detections.boxes, taken.message.captured_at_s, (width, height)
            )
            yield TrackedFrame(taken, detector, detections, tracks, ended)

    def _vote(self, tracked: Sequence[TrackedFrame]) -> None:
        classifier = self._networks.classifier
        voters: list[tuple[Track, FloatArray]] = []
        crops = []
        for frame in tracked:
            due = [i for i, track in enumerate(frame.tracks) if _is_due(frame, i, track)]
            if not due:
                continue
            boxes = frame.detections.boxes[due]
            crops.append(
                crop_faces(
                    frame.taken.image, boxes, margin=classifier.margin, size=classifier.input_size
                )
            )
            voters += [(frame.tracks[i], box) for i, box in zip(due, boxes, strict=True)]
            for i in due:
                frame.tracks[i].classified_at_s = frame.taken.message.captured_at_s
        if not voters:
            return
        probabilities = self._networks.classify(np.concatenate(crops))
        for (track, box), row in zip(voters, probabilities, strict=True):
            track.votes = track.votes.add(row, float(box[3] - box[1]))

    def _outcome(self, frame: TrackedFrame, watched: bool) -> Outcome:
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
        increments, dropped = owned.take_drops()
        increments.add(frames_field("analysed"))
        age_s = max(0.0, now_s - message.captured_at_s)
        increments.observe(age_field("analysed"), AGE_BUCKETS_S, age_s)
        owned.note_analysed(message.captured_at_s, len(frame.tracks))
        people = _count_people(frame.ended, increments)
        owned.sequence = message.sequence
        return Outcome(
            sequence=message.sequence,
            explained=dropped + 1,
            increments=increments,
            tracker_state=owned.tracker.encode(),
            faces=faces,
            annotated_jpeg=annotate(taken.image, faces.faces) if watched else b"",
            minutes=owned.take_minutes(),
            people=people,
        )

    @staticmethod
    def _without_frame(owned: OwnedCamera, ended: list[Track], flush: bool) -> Outcome:
        increments, dropped = owned.take_drops()
        people = _count_people(ended, increments)
        return Outcome(
            sequence=owned.sequence,
            explained=dropped,
            increments=increments,
            tracker_state=owned.tracker.encode(),
            flush=flush,
            minutes=owned.take_minutes(),
            people=people,
        )


def _is_due(frame: TrackedFrame, index: int, track: Track) -> bool:
    box = frame.detections.boxes[index]
    if box[3] - box[1] < LEAST_FACE_PX:
        return False
    since_s = frame.taken.message.captured_at_s - track.classified_at_s
    return not track.votes.settled or since_s >= SETTLED_RECHECK_S


def _face(box: FloatArray, score: np.float32, track: Track) -> Face:
    x_min, y_min, x_max, y_max = (round(float(edge), 1) for edge in box)
    return Face(
        box=(x_min, y_min, x_max, y_max),
        score=round(float(score), 4),
        verdict=track.verdict,
        confidence=round(track.votes.confidence, 4),
        track_id=track.id,
    )


def _count_people(ended: Iterable[Track], increments: Increments) -> tuple[Person, ...]:
    """Count each person in the totals; return them."""
    people = []
    for track in ended:
        if track.is_person:
            increments.add(people_field(track.verdict))
            people.append(_person(track))
        else:
            increments.add(DISCARDED_FIELD)
    return tuple(people)


def _person(track: Track) -> Person:
    _, top, _, bottom = track.motion.predict(0.0)
    return Person(
        track_id=track.id,
        first_seen_s=round(track.first_seen_s, 3),
        last_seen_s=round(track.last_seen_s, 3),
        sightings=track.sightings,
        best_face_px=round(float(bottom - top), 1),
        verdict=track.verdict,
        confidence=round(track.votes.confidence, 4),
        judged_s=0.0,
    )
