"""Finds faults of an arriving stream: broken pictures, a missing key frame, a jumping clock.

After some time the reader reconnects for faults that prevent pictures. With other faults the
pictures continue, and users see a notice.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from contract.cameras.status import NoticeKind

UNDECODABLE_S: Final = 3.0
"""Seconds with errors only, after which the stream counts as undecodable: its codec probably
changed."""
FEWEST_BROKEN: Final = 3
NOTHING_S: Final = 3.0
FEWEST_PACKETS: Final = 15
"""Packets without picture or error after which the stream counts as undecodable. Decoders hold back
up to 16 pictures at first; after that, each packet yields one."""
KEY_FRAME_S: Final = 20.0
"""Longest wait for a key frame, in seconds. Cameras that save bandwidth send one every 10 s."""
KEY_FRAME_LATE_S: Final = 2.0
TOLD_FOR_S: Final = 10.0
BROKEN_TO_TELL: Final = 3
"""Broken pictures within `TOLD_FOR_S` that cause a notice: an occasional one is normal on a
network."""

Want = Literal["undecodable", "key_frame"]
Clock = Callable[[], float]


@dataclass(frozen=True)
class Notice:
    """A fault to report of a stream whose pictures arrive."""

    kind: NoticeKind
    words: str


class StreamHealth:
    """The decoding thread writes it, and the reporting thread reads it."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._picture_s = clock()
        self._broken = self._packets = 0
        self._awaits_key = True
        self._broken_s: deque[float] = deque(maxlen=BROKEN_TO_TELL)
        self._jumped_s: float | None = None
        self._changed_s: float | None = None
        self._change = ""
        self.broken_in_all = 0
        """Packets and pictures that could not be decoded, or only in part, since connecting."""
        self.size: tuple[int, int] | None = None
        """Width and height of the last picture; None before the first."""

    def packet(self, key: bool, left_out: bool = False) -> None:
        """Note a packet. `key`: decoding can start there. `left_out`: sampling does not need it."""
        if key and self._awaits_key:
            self._awaits_key = False
            self._picture_s, self._broken, self._packets = self._clock(), 0, 0
        self._packets += not left_out

    def broken(self) -> None:
        """Note that a packet or a picture could not be decoded, or only in part."""
        self._broken += 1
        self.broken_in_all += 1
        self._broken_s.append(self._clock())

    def picture(self, width: int, height: int, whole: bool = True) -> None:
        """Note a decoded picture; if it is not `whole`, its declared size may be wrong."""
        self._picture_s, self._broken, self._packets = self._clock(), 0, 0
        self._awaits_key = False
        if not whole:
            return
        if self.size not in (None, (width, height)):
            self.changed(f"now sends {width}x{height} instead of {_times(self.size)}")
        self.size = (width, height)

    def clock_jumped(self) -> None:
        """Note that the stream's timestamps jumped."""
        self._jumped_s = self._clock()

    def changed(self, change: str) -> None:
        """Note a change of the stream, in words that follow the camera's name."""
        self._changed_s, self._change = self._clock(), change

    def waited_s(self) -> float:
        """Return seconds since the last picture, or since the beginning."""
        return self._clock() - self._picture_s

    def hopeless(self) -> Want | None:
        """Return what has been missing for too long, so that only reconnecting helps; or None."""
        missing, waited_s = self.missing(), self.waited_s()
        if missing == "key_frame":
            return missing if waited_s > KEY_FRAME_S else None
        if missing and self._broken < FEWEST_BROKEN:
            return missing if waited_s > NOTHING_S else None
        return missing if missing and waited_s > UNDECODABLE_S else None

    def missing(self) -> Want | None:
        """Return what pictures are waiting for, if it is known and takes longer than usual."""
        if self.waited_s() < KEY_FRAME_LATE_S or not self._packets:
            return None
        if self._awaits_key:
            return "key_frame"
        fewest = 1 if self.size else FEWEST_PACKETS
        useless = self._broken >= FEWEST_BROKEN or self._packets >= fewest
        return "undecodable" if useless else None

    def notice(self) -> Notice | None:
        """Return the most serious fault to report now."""
        if self._is_recent(self._changed_s):
            return Notice("changed", f"The camera {self._change}; counting goes on.")
        if len(self._broken_s) == BROKEN_TO_TELL and self._is_recent(self._broken_s[0]):
            return Notice(
                "corrupt",
                "Pictures arrive broken: packets are lost or damaged on their way. Check cable, "
                "switch and Wi-Fi, or lower the stream's bit rate.",
            )
        if self._is_recent(self._jumped_s):
            return Notice(
                "clock",
                "The stream's timestamps jump; frames are timed by their arrival instead. Check "
                "the camera's time server (NTP).",
            )
        return None

    def _is_recent(self, then_s: float | None) -> bool:
        return then_s is not None and self._clock() - then_s < TOLD_FOR_S


def _times(size: tuple[int, int] | None) -> str:
    return f"{size[0]}x{size[1]}" if size else "nothing"
