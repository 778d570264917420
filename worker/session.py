"""One owned camera: the only thing that changes while its frames are analysed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

import numpy as np

from bus.members.leases import Lease
from contract.cameras.camera import Camera
from contract.cameras.detector_width import AUTO
from contract.errors import MessageError
from contract.people.audits import Audit
from contract.people.faces import FrameFaces
from contract.people.minutes import ANALYSED_MS, FACES, FRAMES
from contract.people.outcomes import Committed, Outcome
from contract.people.people import LEAST_CONFIDENCE, Person
from contract.people.totals import AGE_BUCKETS_S, Increments, age_field, frames_field
from runtime.logs import about
from worker.audit_capture import AuditCapture
from worker.backlog import Backlog
from worker.condition.condition import CameraCondition
from worker.detector_width import AutomaticWidth
from worker.drawing import annotate
from worker.frame import DetectedFrame, FaceLook, TrackedFrame
from worker.tracking import people
from worker.tracking.track import Track
from worker.tracking.tracker import Tracker
from worker.tracking.zones import layout_of

LONGEST_STEP_S: Final = 1.0
"""Two analysed frames cover the time between them if they are at most this far apart, or one and a
half periods of the camera's rate if that is longer: nobody walks by meanwhile. A longer gap counts
as not analysed, all of it."""
CATCHING_UP_S: Final = 3.0
"""A new owner analyses frames captured up to this long after the takeover even if they are late,
because they wait behind its predecessor's frames. An idle machine analyses those in 0.3 s; one that
is busy with restarting the dead worker needs most of this time."""

_log = logging.getLogger(__name__)


class CameraSession:
    """Follows one camera under one lease, and returns each frame's changes.

    All of it can be read back from Redis as of the last commit, and is, whenever a commit fails.
    """

    def __init__(
        self,
        camera: Camera,
        lease: Lease,
        backlog: Backlog | None = None,
        tracker: Tracker | None = None,
        condition: CameraCondition | None = None,
        analysed_at_s: float | None = None,
        least_confidence: float = LEAST_CONFIDENCE,
    ) -> None:
        self.camera = camera
        self.lease = lease
        self.backlog = backlog or Backlog()
        self.tracker = tracker or Tracker()
        self.condition = condition or CameraCondition()
        self.audit: AuditCapture | None = None
        """Keeps pictures while an audit draws people of this camera."""
        self._least_confidence = least_confidence
        self._automatic_width = AutomaticWidth()
        self.analysed_at_s = analysed_at_s
        """When the newest analysed frame was captured; None before the first."""

    @classmethod
    def resume(
        cls,
        camera: Camera,
        lease: Lease,
        committed: Committed,
        now_s: float,
        least_confidence: float = LEAST_CONFIDENCE,
    ) -> CameraSession:
        """Continue from the last commit. A state that cannot be read is logged and lost."""
        catch_up_to_s = now_s + CATCHING_UP_S if committed.sequence else 0.0
        return cls(
            camera,
            lease,
            Backlog(committed.sequence, heard_at_s=now_s, catch_up_to_s=catch_up_to_s),
            _resumed(
                Tracker.decode,
                committed.tracker_state,
                camera,
                "the people in view of %s are lost: %s",
                "people_in_view_lost",
            ),
            _resumed(
                CameraCondition.decode,
                committed.condition_state,
                camera,
                "what was learnt of %s's picture is lost: %s",
                "condition_lost",
            ),
            committed.analysed_at_s,
            least_confidence,
        )

    def follow_settings(self, camera: Camera) -> None:
        """Take over the camera's settings as they are now."""
        if camera.picture_options != self.camera.picture_options:
            self.condition.quality.forget_view()
            self._automatic_width = AutomaticWidth()
        self.camera = camera

    def follow_audit(self, audit: Audit | None) -> None:
        """Keep pictures for `audit` from now on; None: for none."""
        if audit is None or self.audit is None or self.audit.audit.id != audit.id:
            self.audit = AuditCapture(audit, self.camera.id) if audit else None

    @property
    def detector_width_px(self) -> int | None:
        """Pixels to which the detector scales the pictures; None: the setting of all cameras."""
        width = self.camera.detector_width
        return self._automatic_width.width_px if width == AUTO else width

    def track(self, frame: DetectedFrame) -> TrackedFrame:
        """Follow everybody into a frame; frames come in order."""
        taken, time_s = frame.taken, frame.taken.message.captured_at_s
        self.condition.see(taken.image, time_s)
        layout = layout_of(self.camera, taken.size)
        detections = layout.without_ignored(frame.detections)
        whose, ended = self.tracker.update(
            detections.boxes, time_s, taken.size, detections.scores, frame.sure_score
        )
        tracks = [track for track in whose if track]
        detections = detections.where(np.array([bool(track) for track in whose], bool))
        if self.camera.detector_width == AUTO:
            heights_px = (detections.boxes[:, 3] - detections.boxes[:, 1]).tolist()
            self._automatic_width.see(heights_px, taken.size[0])
        for track, box in zip(tracks, detections.boxes, strict=True):
            layout.follow(track, box, time_s)
            track.look_at_place(taken.image)
        return TrackedFrame(taken, frame.detector, detections, frame.sure_score, tracks, ended)

    def fold(
        self,
        frame: TrackedFrame,
        looks: Iterable[FaceLook],
        analysed_at_s: float,
        view_width: int | None = None,
    ) -> Outcome:
        """Take in the looks at a frame's faces; return everything that the frame changes.

        `view_width`: width in pixels of the annotated picture; None if nobody looks.
        """
        message = frame.taken.message
        for look in looks:
            self._judge(frame.tracks[look.index], look, message.captured_at_s)
        if self.audit:
            self.audit.see(frame)
        faces = frame.faces(analysed_at_s)
        increments, dropped = self.backlog.take_drops(message.sequence)
        _add_analysed(increments, analysed_at_s - message.captured_at_s)
        self._note_analysed(message.captured_at_s, len(frame.tracks))
        counted = self._count(frame.ended, increments)
        self.backlog.sequence = message.sequence
        return Outcome(
            sequence=message.sequence,
            explained=dropped + 1,
            increments=increments,
            tracker_state=self.tracker.encode(),
            faces=faces,
            annotated_jpeg=self._drawn(frame, faces, view_width) if view_width else b"",
            minutes=self.backlog.take_minutes(),
            people=counted,
            condition=self.condition.take_record(message.captured_at_s),
            trace=message.trace,
        )

    def flush(self) -> Outcome:
        """End all tracks because the camera went quiet; return the changes, including its drops."""
        return self._without_frame(self.tracker.end_all(), flush=True)

    def fold_drops(self) -> Outcome:
        """Return the changes from frames dropped since the last outcome."""
        return self._without_frame([], flush=False)

    def _judge(self, track: Track, look: FaceLook, time_s: float) -> None:
        self.condition.look_at_face(look.brightness, look.frontality, look.sharpness)
        track.votes = track.votes.add(look.probabilities, look.weight, time_s)
        track.add_unjudgeable(look.unjudgeable)

    def _note_analysed(self, captured_at_s: float, faces: int) -> None:
        """Count a frame with its faces, and the time since the one before as really analysed."""
        minutes = self.backlog.minutes
        minutes.add(captured_at_s, FRAMES)
        minutes.add(captured_at_s, FACES, faces)
        before_s, self.analysed_at_s = self.analysed_at_s, captured_at_s
        longest_s = max(LONGEST_STEP_S, 1.5 / self.camera.analysis_fps)
        if before_s is not None and captured_at_s - before_s <= longest_s:
            minutes.add_span(before_s, captured_at_s, ANALYSED_MS)
            self.condition.count_invalid(before_s, captured_at_s, minutes)

    def _count(self, ended: Iterable[Track], increments: Increments) -> tuple[Person, ...]:
        counted = people.count(ended, bool(self.camera.zones), increments, self._least_confidence)
        self.condition.learn(counted)
        return counted

    def _drawn(self, frame: TrackedFrame, faces: FrameFaces, width: int) -> bytes:
        layout = layout_of(self.camera, frame.taken.size)
        return annotate(frame.taken.image, faces.faces, layout, width)

    def _without_frame(self, ended: Iterable[Track], flush: bool) -> Outcome:
        sequence = self.backlog.sequence
        increments, dropped = self.backlog.take_drops(sequence)
        counted = self._count(ended, increments)
        return Outcome(
            sequence=sequence,
            explained=dropped,
            increments=increments,
            tracker_state=self.tracker.encode(),
            flush=flush,
            minutes=self.backlog.take_minutes(),
            people=counted,
        )


def _add_analysed(increments: Increments, age_s: float) -> None:
    increments.add(frames_field("analysed"))
    increments.observe(age_field("analysed"), AGE_BUCKETS_S, max(0.0, age_s))


T = TypeVar("T")


def _resumed(
    decode: Callable[[str], T], state: str, camera: Camera, words: str, event: str
) -> T | None:
    try:
        return decode(state)
    except MessageError as error:
        extra = about(camera, event=event)
        _log.error(words, camera.name, error, extra=extra)
        return None
