"""Opens a source with FFmpeg: transports, time-outs, and what it may reach for."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any, Final

import av
import av.container

from contract.cameras.probes import Medium
from contract.errors import SourceError
from ingest.reach.address import Address, SourceKind
from ingest.reach.errors import (
    MOST_REDIRECTS,
    behind_redirect,
    explain_opening,
    explain_reading,
    leads_nowhere,
    redirected,
    silent_over_udp,
    timed_out,
)
from ingest.reach.files import identity
from ingest.reach.overheard import Overheard, overhearing
from ingest.reach.reach import Reach
from ingest.rtsp.relay import RtspRelay
from ingest.web.client import Deadline, WebClient
from ingest.web.stream import WebStream
from runtime.settings import Settings
from runtime.video.streams import FILM_FORMATS

# What a camera sends must not make FFmpeg read local files or run protocols that nobody asked for
# (Frigate CVE-2026-25643): each kind of source gets only what it needs. What comes over HTTP is
# handed to FFmpeg as bytes, and so it needs none.
PROTOCOLS: Final[dict[SourceKind, str]] = {
    "rtsp": "rtsp,tcp",
    "http": "none",
    "file": "file",
    "webcam": "file",
}
ANALYSED_S: Final = 2.0
"""Seconds of stream time that FFmpeg analyses to identify the stream. The packets are kept, because
they begin with the key frame that most cameras send to a new viewer."""
FORMATS: Final = f"{FILM_FORMATS},jpeg_pipe"
"""Those of films, and single JPEG pictures one after another."""


_MEDIA: Final[dict[SourceKind, Medium]] = {"file": "film", "webcam": "webcam"}
_FORMATS_OF: Final[dict[SourceKind, str]] = {"webcam": "v4l2", "rtsp": "rtsp"}


class Opening:
    """One source's way through FFmpeg, and what it may reach on that way."""

    def __init__(self, address: Address, settings: Settings, reach: Reach | None = None) -> None:
        self._address = address
        self._settings = settings
        self._reach = reach or Reach.of(settings)
        self._deadline = Deadline(settings.open_timeout_s)
        self._web: WebStream | None = None
        self._file: tuple[int, ...] | None = None
        self._relay: RtspRelay | None = None

    def open(self) -> av.container.InputContainer:
        """Open the source; return when its streams are known.

        Raises:
            SourceError: of the kind that fits, in words for an operator.
        """
        began_s = time.monotonic()
        if self._address.kind == "rtsp":
            return self._follow(began_s)
        return self._open(self._address, began_s)

    @property
    def medium(self) -> Medium:
        """What the source turned out to be."""
        if self._web:
            return self._web.medium
        return _MEDIA.get(self._address.kind, "stream")

    def want(self, may_want: Callable[[float], bool]) -> None:
        """Say when frames are wanted (steady seconds): a camera is asked for pictures then."""
        if self._web:
            self._web.may_want = may_want

    @property
    def segmented(self) -> bool:
        """Whether the source is a playlist's segments."""
        return self._web is not None and self._web.segmented

    def await_more(self) -> None:
        """Give the camera its time to send the next packet, from now on."""
        self._deadline.extend(self._settings.read_timeout_s)

    def explain_reading(self, error: Exception) -> SourceError:
        """Return the `SourceError` for a failure while frames were being read."""
        cause = self._failure() or error
        return explain_reading(cause, self._address, self._settings.read_timeout_s)

    def same_file(self) -> bool:
        """Whether a film's file is still the one that was opened last."""
        return self._file is not None and self._file_now() == self._file

    def _file_now(self) -> tuple[int, ...] | None:
        try:
            return identity(Path(self._address.url).stat())
        except OSError:
            return None

    def close(self) -> None:
        """Cut what the source still reaches."""
        if self._web:
            self._web.close()
        if self._relay:
            self._relay.close()

    def _follow(self, began_s: float) -> av.container.InputContainer:
        """Open an RTSP camera, or what it sends its viewers on to, each checked like the first."""
        here = self._address
        for _ in range(MOST_REDIRECTS + 1):
            if self._relay:
                self._relay.close()
            self._relay = RtspRelay(here, self._reach)
            try:
                return self._open(here, began_s)
            except SourceError as error:
                if self._relay.moved is None:
                    if here is self._address:
                        raise
                    raise behind_redirect(error, self._address, here) from None
                here = self._next(here, self._relay.moved)
        raise redirected(self._address)

    def _next(self, here: Address, location: str) -> Address:
        try:
            moved = here.moved_to(location)
        except ValueError:
            raise leads_nowhere(self._address) from None
        if not location or moved.kind != "rtsp":
            raise leads_nowhere(self._address)
        return moved

    def _open(self, address: Address, began_s: float) -> av.container.InputContainer:
        settings, limit_s = self._settings, self._settings.open_timeout_s
        with overhearing() if address.kind == "rtsp" else nullcontext(Overheard()) as overheard:
            try:
                container = self._opened(address, began_s + limit_s)
            except (av.error.FFmpegError, OSError, ValueError) as error:
                elapsed_s, failure = time.monotonic() - began_s, self._failure()
                # What FFmpeg hears where the relay gave up is the relay's own doing.
                heard, cause = (None, failure) if failure else (overheard, error)
                # Not chained: FFmpeg's own error carries the URL with its password.
                raise explain_opening(cause, address, elapsed_s, limit_s, heard) from None
        if overheard.silent:
            # It opened, knowing the stream by its description; nothing of it has come.
            container.close()
            if self._relay and self._relay.over_udp:
                raise silent_over_udp(address, settings.read_timeout_s)
            raise timed_out(address, settings.read_timeout_s)
        return container

    def _opened(self, address: Address, ends_s: float) -> av.container.InputContainer:
        """Have FFmpeg open an address until `ends_s`."""
        options = ffmpeg_options(address, self._settings)
        read_s = self._settings.read_timeout_s
        if self._relay:
            self._relay.start(min(_left_s(ends_s), read_s))
        with ExitStack() as held:
            opened: av.container.InputContainer = av.open(
                self._asked_for(address, ends_s, held),
                format=self._web.format if self._web else _FORMATS_OF.get(address.kind),
                options=options,
                timeout=(_left_s(ends_s), read_s),
            )
        return opened

    def _asked_for(self, address: Address, ends_s: float, held: ExitStack) -> Any:
        """Return the address that FFmpeg opens, or a file-like object that it reads."""
        if address.kind == "http":
            self._deadline.extend(_left_s(ends_s))
            self.close()
            client = WebClient(address, self._reach, self._deadline)
            self._web = WebStream(client, address)
            self._web.open()
            return self._web
        if self._relay:
            return self._relay.url
        if address.kind == "file":
            descriptor = self._reach.files.open(address.url)
            held.callback(os.close, descriptor)
            self._file = identity(os.fstat(descriptor))
            return f"file:/proc/self/fd/{descriptor}"  # the very file that was judged
        return address.url

    def _failure(self) -> Exception | None:
        """Why our own part gave up, which FFmpeg knows only as an answer it did not expect."""
        if self._relay:
            return self._relay.failure
        return self._web.failure if self._web else None


def _left_s(ends_s: float) -> float:
    return max(ends_s - time.monotonic(), 0.1)


def _networked(address: Address) -> bool:
    return address.kind in ("rtsp", "http")


def ffmpeg_options(address: Address, settings: Settings) -> dict[str, str]:
    """Return the options for `address`. FFmpeg wants times in microseconds."""
    options: dict[str, Any] = {"protocol_whitelist": PROTOCOLS[address.kind]}
    if address.kind == "rtsp":
        read_us = str(int(settings.read_timeout_s * 1e6))
        # Of our relay, whatever the camera sends by; UDP loses packets behind most switches and
        # smears the picture (opencv#27091).
        options |= {"rtsp_transport": "tcp", "timeout": read_us, "allowed_media_types": "video"}
        options |= {"analyzeduration": str(int(ANALYSED_S * 1e6))}
    if _networked(address):
        # Frames are not counted to guess the rate: that took a second of every connection, and 20
        # of a camera of one frame a second.
        options["fpsprobesize"] = "0"
    if address.kind in ("http", "file"):
        options["format_whitelist"] = FORMATS
    return options
