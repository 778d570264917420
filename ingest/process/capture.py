"""The loop of one camera: open, read, sample, encode, hand over; reopen after a failure."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from contract.cameras.camera import Camera
from contract.errors import SourceAuthenticationError, SourceError
from contract.redaction import redact_text
from contract.traces import Trace
from ingest.captured import CapturedFrame, OpenSource
from ingest.encoding import encode_jpeg
from ingest.process.backoff import WELL_AFTER_S, CameraBackoff
from ingest.process.connection_state import ConnectionState
from ingest.process.outbox import Outbox
from ingest.process.pulse import ReaderLife
from ingest.reach.address import parse_source
from ingest.reach.errors import too_large
from ingest.sources.source import open_source
from runtime.logs import about
from runtime.settings import Settings
from runtime.tracing import OFF, Tracing
from runtime.video.sampler import Sampler

ROOM_S: Final = 1.0
_log = logging.getLogger(__name__)


def follows(camera: Camera, settings: Settings) -> bool:
    """Whether a camera's film plays as fast as the workers can follow."""
    return settings.file_speed == 0 and parse_source(camera.source).kind == "file"


class Capture:
    """Delivers one camera's sampled frames into an outbox until told to stop.

    Does not use Redis, so that a slow or missing Redis never delays a decoder.
    """

    def __init__(
        self,
        camera: Camera,
        settings: Settings,
        outbox: Outbox,
        state: ConnectionState,
        life: ReaderLife,
        clock: Callable[[], float] = time.time,
        tracing: Tracing = OFF,
    ) -> None:
        """`clock`: the clock that stamps frames."""
        self._camera = camera
        self._settings = settings
        self._outbox = outbox
        self._state = state
        self._life = life
        self._clock = clock
        self._tracing = tracing
        self._sampler = Sampler(camera.analysis_fps)
        self._follows = follows(camera, settings)
        self._backoff = CameraBackoff(settings.reconnect_max_s)
        self._has_login = bool(parse_source(camera.source).logins)
        self._said = ""
        self._codec = ""

    def run(self) -> None:
        again = False
        while not self._life.stop.is_set():
            self._state.connecting(again)
            again, refused = True, False
            try:
                self._connect_and_read()
            except SourceError as error:
                self._note(error)
                refused = self._has_login and isinstance(error, SourceAuthenticationError)
            except MemoryError:
                self._note(too_large(self._camera.name))
            except Exception as error:
                extra = about(self._camera, event="camera_unforeseen")
                _log.exception("camera %s: unexpected error", self._camera.name, extra=extra)
                words = redact_text(f"{type(error).__name__}: {error}")
                self._note(SourceError(f"reading failed unexpectedly ({words}); reconnecting"))
            self._life.wait(self._backoff.next_s(refused))

    def _connect_and_read(self) -> None:
        camera, settings = self._camera, self._settings
        source = open_source(
            camera.source, settings, self._life, self._clock, camera.picture_options
        )
        try:
            self._state.connected(source.info, source.health)
            if self._codec not in ("", source.info.codec):
                source.health.changed(f"now sends {source.info.codec} instead of {self._codec}")
            self._codec = source.info.codec
            self._read(source)
        finally:
            source.close()

    def _read(self, source: OpenSource) -> None:
        began_s = time.monotonic()
        for frame in source.frames(self._sampler.may_want):
            for _ in range(frame.left_out):
                self._state.frame()
                self._outbox.skip()
            self._state.frame()
            self._deliver(frame)
            if time.monotonic() - began_s > WELL_AFTER_S:
                self._backoff.reset()
            if self._said:
                extra = about(self._camera, event="camera_live")
                _log.info("camera %s is live again", self._camera.name, extra=extra)
                self._said = ""
            if self._life.stop.is_set():
                return

    def _deliver(self, frame: CapturedFrame) -> None:
        if self._sampler.wants(frame.time_s):
            began_s = self._tracing.now_s()
            image = frame.image(self._camera.max_width)
            jpeg = encode_jpeg(image, self._camera.jpeg_quality)
            trace = self._begin_trace(frame, began_s) if self._tracing.due() else ""
            self._outbox.put(jpeg, frame.captured_at_s, trace)
            self._wait_for_workers()
        else:
            self._outbox.skip()

    def _begin_trace(self, frame: CapturedFrame, encoding_began_s: float) -> Trace:
        camera, now_s = self._camera, self._tracing.now_s()
        about_it = {"camera_id": camera.id, "camera": camera.name}
        trace = self._tracing.record("", "capture", frame.captured_at_s, now_s, **about_it)
        self._tracing.record(trace, "encode", encoding_began_s, now_s)
        return trace

    def _wait_for_workers(self) -> None:
        while self._follows and not self._outbox.wait_until_empty(ROOM_S):
            if self._life.wait(0.0):
                return

    def _note(self, error: SourceError) -> None:
        self._state.lost(error)
        if error.kind != self._said:
            extra = about(self._camera, event=f"camera_{error.kind}")
            _log.warning("camera %s: %s", self._camera.name, error, extra=extra)
        self._said = error.kind
