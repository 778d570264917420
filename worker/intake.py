"""Reads frames of all owned cameras, drops what is too old, and decodes the rest."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import cv2
import numpy as np

from bus.stores.frames import Entry, FrameReader
from contract.errors import MessageError, UploadError
from contract.pictures.frames import MAX_FRAME_PIXELS, FrameMessage
from runtime.image_files import require_jpeg
from runtime.logs import about
from runtime.tracing import OFF, Tracing, stream_moment
from worker.backlog import Backlog
from worker.frame import Image, TakenFrame
from worker.session import CameraSession

BLOCK_MS: Final = 50
"""Longest wait for a frame. The loop notices only afterwards that it gained or lost a camera, or
that one went quiet."""
READ_AT_ONCE: Final = 8
"""Most frames read of one camera at a time."""
WORTH_IT: Final = 0.5
"""Share of the staleness budget within which a frame is analysed although a newer one waits."""
CATCH_UP_S: Final = 5.0
"""A new owner analyses the frames its predecessor left, unless they are older than this."""

_log = logging.getLogger(__name__)


class Intake:
    """Hands a worker its next frames: at most one per camera at a time, the oldest first."""

    def __init__(
        self,
        frames: FrameReader,
        staleness_budget_s: float,
        max_batch: int,
        clock: Callable[[], float] = time.time,
        tracing: Tracing = OFF,
    ) -> None:
        self._frames = frames
        self._budget_s = staleness_budget_s
        self._max_batch = max_batch
        self._clock = clock
        self._tracing = tracing
        self._waited_s = 0.0
        self._decoders = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="jpeg")

    def next_batch(self, sessions: Sequence[CameraSession]) -> list[TakenFrame]:
        """Return the next frames to analyse, each camera's in order; wait a little if none came.

        A batch is what has arrived, so that a slow camera delays no other.
        """
        self._read(sessions, wait=not any(one.backlog.waiting for one in sessions))
        # The oldest frames go first, so that no camera starves when batches are full.
        ready = [(one, frame) for one in sessions if (frame := self._freshest_due(one.backlog))]
        ready.sort(key=lambda pair: pair[1].captured_at_s)
        chosen, later = ready[: self._max_batch], ready[self._max_batch :]
        for session, frame in later:
            session.backlog.waiting.appendleft(frame)
        images = self._decoders.map(self._decode, (frame for _, frame in chosen))
        return list(self._decoded(chosen, images))

    def _decode(self, message: FrameMessage) -> Image | None:
        if message.trace:
            waited_from_s = stream_moment(message.stream_id)
            number = message.sequence
            now_s = self._tracing.now_s()
            self._tracing.record(message.trace, "queue", waited_from_s, now_s, frame=number)
        with self._tracing.span([message.trace], "decode"):
            return _decode_jpeg(message.jpeg)

    def take_waited_s(self) -> float:
        """Return the seconds without anything to do since the last call."""
        waited_s, self._waited_s = self._waited_s, 0.0
        return waited_s

    def _read(self, sessions: Sequence[CameraSession], wait: bool) -> None:
        began_s = time.perf_counter()
        if not sessions:
            time.sleep(BLOCK_MS / 1000)
            self._waited_s += time.perf_counter() - began_s
            return
        by_id = {one.camera.id: one for one in sessions}
        cursors = {camera_id: one.backlog.cursor for camera_id, one in by_id.items()}
        answer = self._frames.read(cursors, BLOCK_MS if wait else None, READ_AT_ONCE)
        if wait:
            self._waited_s += time.perf_counter() - began_s
        for camera_id, entries in answer:
            self._take_in(by_id[camera_id], entries)

    def _take_in(self, session: CameraSession, entries: Iterable[Entry]) -> None:
        camera_id, backlog = session.camera.id, session.backlog
        for entry in entries:
            backlog.cursor = entry[0]
            try:
                message = self._frames.decode(camera_id, entry)
            except MessageError as error:
                self._frames.discard(camera_id, entry[0])
                _skip(session, error)
                continue
            try:
                self._require_published(session, message)
                if backlog.accept(message):
                    backlog.heard_at_s = self._clock()
            except MessageError as error:
                # Left in the stream: after a restore of Redis, the next owner may need it.
                _skip(session, error)

    def _require_published(self, session: CameraSession, message: FrameMessage) -> None:
        """Refuse a sequence number that ingest never gave.

        Otherwise all frames up to it would count as overflowed. Redis is asked only after a gap,
        which is rare: a frame was pushed out of the stream unread.
        """
        if message.sequence <= session.backlog.newest + 1:
            return
        published = self._frames.published(session.camera.id)
        if message.sequence > published:
            raise MessageError(
                f"frame {message.sequence} of camera {session.camera.name}, of which only "
                f"{published:.0f} were published"
            )

    def _freshest_due(self, backlog: Backlog) -> FrameMessage | None:
        now_s = self._clock()
        while backlog.waiting:
            message = backlog.waiting.popleft()
            age_s = now_s - message.captured_at_s
            catching_up = message.captured_at_s <= backlog.catch_up_to_s and age_s <= CATCH_UP_S
            # Drop an old frame early when a newer one is waiting. Otherwise an overloaded worker
            # would analyse every frame just before it expires.
            limit_s = self._budget_s * WORTH_IT if backlog.waiting else self._budget_s
            if age_s <= limit_s or catching_up:
                return message
            backlog.drop(message, "stale")
        return None

    def _decoded(
        self, chosen: Iterable[tuple[CameraSession, FrameMessage]], images: Iterable[Image | None]
    ) -> Iterable[TakenFrame]:
        for (session, message), image in zip(chosen, images, strict=True):
            if image is None:
                session.backlog.drop(message, "undecodable")
                _log.warning(
                    "frame %d of camera %s is no JPEG",
                    message.sequence,
                    session.camera.name,
                    extra=about(session.camera, frame=message.sequence, event="frame_undecodable"),
                )
            else:
                late = self._clock() - message.captured_at_s > self._budget_s
                yield TakenFrame(session.camera, message, image, late)


def _skip(session: CameraSession, error: MessageError) -> None:
    """Count an entry that is not a readable frame: it explains a missing sequence number."""
    session.backlog.refuse()
    _log.warning("skipped: %s", error, extra=about(session.camera, event="frame_malformed"))


def _decode_jpeg(jpeg: bytes) -> Image | None:
    try:
        require_jpeg(jpeg, MAX_FRAME_PIXELS)
        image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    except (UploadError, cv2.error):
        return None
    return None if image is None else np.asarray(image, np.uint8)
