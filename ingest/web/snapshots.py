"""Asks a camera for its picture again and again: a JPEG snapshot address as a source."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from contract.errors import SourceAuthenticationError, SourceError, SourceForbiddenError
from ingest.reach.address import Address
from ingest.reach.errors import no_video
from ingest.web.client import Answer, WebClient
from ingest.web.pictures import AnsweredPictures

MOST_A_SECOND: Final = 25.0
"""Most requests a second, however many frames are wanted."""
LONGEST_PAUSE_S: Final = 1.0
"""Longest time between two requests, and between two frames of an unchanged picture: a camera
without frames would be offline, and nobody would see that its picture is frozen."""
UNCHANGED_PAUSE_S: Final = 0.125
"""First pause after an unchanged picture. It doubles, because the camera makes them more rarely."""
DOUBTED_S: Final = 5.0
"""Seconds after which we ask once more for the whole picture, because some cameras answer "not
modified" for ever."""
RETRY_S: Final = 0.5
"""Pause after a failure. A busy camera may refuse one picture and send the next."""
_VALIDATORS: Final = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
_LOOK_S: Final = 0.02
_LASTING: Final = (SourceAuthenticationError, SourceForbiddenError)
MayWant = Callable[[float], bool]


class Snapshots:
    """The pictures of an address whose every answer is one picture."""

    def __init__(self, client: WebClient, camera: Address, may_want: MayWant) -> None:
        """may_want: returns False for a time (steady seconds) at which no picture is needed."""
        self._client = client
        self._camera = camera
        self._may_want = may_want
        self._validators: dict[str, str] = {}
        self._believes = True
        self._keeps = False
        self._last = b""
        self._asked_s = self._told_s = self._whole_s = time.monotonic()
        self._pause_s = 1 / MOST_A_SECOND

    def begin(self, answer: Answer, picture: bytes) -> None:
        """Go on after an answer, which was read to its end, and its picture."""
        self._note(answer, picture)
        self._client.done_with(answer)

    def next(self) -> bytes:
        """Return the next picture, when one is wanted.

        A picture that did not change is returned again once a second.

        Raises:
            SourceError, OSError: there was none until the deadline, or the camera lets us not in.
        """
        while True:
            self._wait()
            try:
                changed = self._ask()
            except _LASTING:
                raise
            except (SourceError, OSError):
                if self._client.deadline.ends_within(RETRY_S):
                    raise
                self._pause_s = RETRY_S
                continue
            unchanged_s = max(2 * self._pause_s, UNCHANGED_PAUSE_S)
            self._pause_s = 1 / MOST_A_SECOND if changed else unchanged_s
            if changed or time.monotonic() - self._told_s >= self._longest_s:
                self._told_s = time.monotonic()
                return self._last

    @property
    def _longest_s(self) -> float:
        return min(LONGEST_PAUSE_S, self._client.deadline.limit_s / 2)

    def _wait(self) -> None:
        """Pause until a frame is wanted, but not for long."""
        latest_s = self._asked_s + self._longest_s
        repeated_s = max(self._asked_s, self._told_s + self._longest_s)
        earliest_s = min(self._asked_s + self._pause_s, repeated_s, latest_s)
        while (now_s := time.monotonic()) < earliest_s or (
            now_s < latest_s and not self._may_want(now_s)
        ):
            time.sleep(min(_LOOK_S, self._client.deadline.left_s()))
        self._asked_s = now_s

    def _ask(self) -> bool:
        """Ask for the picture; return whether it is another than the last one."""
        known = self._believes and self._asked_s - self._whole_s < DOUBTED_S
        answer = self._client.get(self._camera, self._validators if known else {}, self._keeps)
        if answer.status == 304:
            answer.read(1)
            self._client.done_with(answer)
            return False
        try:
            pictures = AnsweredPictures(self._camera, answer)
            if not (picture := pictures.next()):
                raise no_video(self._camera, "something else (a web page?)")
            # Only what was read to its end leaves a connection for the next request.
            pictures.next()
        except BaseException:
            answer.close()
            raise
        changed = picture != self._last
        self._note(answer, picture)
        self._client.done_with(answer)
        return changed

    def _note(self, answer: Answer, picture: bytes) -> None:
        named = {asks: answer.header(name) for name, asks in _VALIDATORS.items()}
        named = {asks: value for asks, value in named.items() if value and value.isprintable()}
        if picture != self._last and named == self._validators:
            self._believes = False  # or a second has several pictures, and `Last-Modified` only one
        self._keeps = answer.sized
        self._last, self._whole_s, self._validators = picture, time.monotonic(), named
