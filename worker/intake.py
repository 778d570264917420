"""Reads frames of all owned cameras, drops what is too old, and decodes the rest."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from bus.stores.frames import Entry, FrameReader
from contract.errors import MessageError, UploadError
from contract.pictures.frames import MAX_FRAME_PIXELS, FrameMessage
from runtime.image_files import require_jpeg
from runtime.logs import about
from runtime.tracing import OFF, Tracing, stream_moment
from worker.camera import OwnedCamera

Image = npt.NDArray[np.uint8]

BLOCK_MS: Final = 50
"""Longest wait for a frame, and so the longest until the loop notices that a camera was gained,
lost or went quiet."""
READ_AT_ONCE: Final = 8
"""Most frames read of one camera at a time."""
WORTH_IT: Final = 0.5
"""Share of the staleness budget within which a frame is analysed although a newer one waits."""
CATCH_UP_S: Final = 5.0
"""A new owner analyses the frames its predecessor left, unless they are older than this."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TakenFrame:
    """One frame about to be analysed."""

    owned: OwnedCamera
    message: FrameMessage
    image: Image
    """`(H, W, 3)` uint8 BGR."""
    late: bool = False
    """Analysed to count its people, and too old to be shown."""


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

    def next_batch(self, owned: Sequence[OwnedCamera]) -> list[TakenFrame]:
        """Return the next frames to analyse, each camera's in order; waits a little if none.

        A batch is whatever has arrived, so that a slow camera holds up no other.
        """
        self._read(owned, wait=not any(camera.waiting for camera in owned))
        # The camera whose frame waits longest goes first, so that a full batch starves nobody.
        ready = [(camera, frame) for camera in owned if (frame := self._freshest_due(camera))]
        ready.sort(key=lambda pair: pair[1].captured_at_s)
        chosen, later = ready[: self._max_batch], ready[self._max_batch :]
        for camera, frame in later:
            camera.waiting.appendleft(frame)
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

    def _read(self, owned: Sequence[OwnedCamera], wait: bool) -> None:
        began_s = time.perf_counter()
        if not owned:
            time.sleep(BLOCK_MS / 1000)
            self._waited_s += time.perf_counter() - began_s
            return
        by_id = {one.camera.id: one for one in owned}
        cursors = {camera_id: one.cursor for camera_id, one in by_id.items()}
        answer = self._frames.read(cursors, BLOCK_MS if wait else None, READ_AT_ONCE)
        if wait:
            self._waited_s += time.perf_counter() - began_s
        for camera_id, entries in answer:
            self._take_in(by_id[camera_id], entries)

    def _take_in(self, owned: OwnedCamera, entries: Iterable[Entry]) -> None:
        for entry in entries:
            owned.cursor = entry[0]
            try:
                message = self._frames.decode(owned.camera.id, entry)
            except MessageError as error:
                self._frames.discard(owned.camera.id, entry[0])
                _skip(owned, error)
                continue
            try:
                self._require_published(owned, message)
                if owned.accept(message):
                    owned.heard_at_s = self._clock()
            except MessageError as error:
                # Left in the stream: after a restore of Redis, the next owner may need it.
                _skip(owned, error)

    def _require_published(self, owned: OwnedCamera, message: FrameMessage) -> None:
        """Refuse a sequence number that ingest never gave.

        Otherwise all frames up to it would count as overflowed. Redis is asked only after a gap,
        which is rare: a frame was pushed out of the stream unread.
        """
        if message.sequence <= owned.newest + 1:
            return
        published = self._frames.published(owned.camera.id)
        if message.sequence > published:
            raise MessageError(
                f"frame {message.sequence} of camera {owned.camera.name}, of which only "
                f"{published:.0f} were published"
            )

    def _freshest_due(self, owned: OwnedCamera) -> FrameMessage | None:
        now_s = self._clock()
        while owned.waiting:
            message = owned.waiting.popleft()
            age_s = now_s - message.captured_at_s
            catching_up = message.captured_at_s <= owned.catch_up_to_s and age_s <= CATCH_UP_S
            # Drop an old frame early when a newer one is waiting. Otherwise an overloaded worker
            # would analyse every frame just before it expires.
            limit_s = self._budget_s * WORTH_IT if owned.waiting else self._budget_s
            if age_s <= limit_s or catching_up:
                return message
            owned.drop(message, "stale")
        return None

    def _decoded(
        self, chosen: Iterable[tuple[OwnedCamera, FrameMessage]], images: Iterable[Image | None]
    ) -> Iterable[TakenFrame]:
        for (owned, message), image in zip(chosen, images, strict=True):
            if image is None:
                owned.drop(message, "undecodable")
                _log.warning(
                    "frame %d of camera %s is no JPEG",
                    message.sequence,
                    owned.camera.name,
                    extra=_about(owned, "frame_undecodable", message.sequence),
                )
            else:
                late = self._clock() - message.captured_at_s > self._budget_s
                yield TakenFrame(owned, message, image, late)


def _skip(owned: OwnedCamera, error: MessageError) -> None:
    """Count an entry that is not a readable frame: it explains a missing sequence number."""
    owned.refuse()
    _log.warning("skipped: %s", error, extra=_about(owned, "frame_malformed"))


def _about(owned: OwnedCamera, event: str, frame: int | None = None) -> dict[str, Any]:
    return about(camera=owned.camera.name, camera_id=owned.camera.id, frame=frame, event=event)


def _decode_jpeg(jpeg: bytes) -> Image | None:
    try:
        require_jpeg(jpeg, MAX_FRAME_PIXELS)
        image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    except (UploadError, cv2.error):
        return None
    return None if image is None else np.asarray(image, np.uint8)
