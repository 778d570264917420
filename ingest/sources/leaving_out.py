"""Has the decoder leave out pictures that nobody wants and no other picture is made from.

Cameras and recorders that send B-frames, or layers to drop, send many such pictures. With them
left out, 1920x1080 film of which five of 25 frames a second are analysed takes a third less to
decode. Which frames are analysed, and when they come out, is the same.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any, Final

from av.video.stream import VideoStream

MOST_OPEN: Final = 256
"""Most packets that may wait for their picture; more occur only if timestamps run backwards."""


class LeavingOut:
    """Decides packet by packet, and counts what was left out as what the camera delivered.

    may_want: False for a time in steady seconds at which a frame is surely not wanted.
    """

    def __init__(self, may_want: Callable[[float], bool]) -> None:
        self._may_want = may_want
        self._open: list[int] = []
        self._counted = 0

    def prepare(self, stream: VideoStream, packet: Any, time_s: float | None) -> bool:
        """Tell the decoder about the packet that it gets next, shown at `time_s` if that is known.

        A picture that others are made from is decoded all the same. True: nobody wants this one.
        """
        leave_out = packet.pts is not None and time_s is not None and not self._may_want(time_s)
        stream.codec_context.skip_frame = "NONREF" if leave_out else "DEFAULT"
        if leave_out:
            heapq.heappush(self._open, packet.pts)
            if len(self._open) > MOST_OPEN:
                self._counted += len(self._open)
                self._open.clear()
        return leave_out

    def before(self, pts: int | None) -> int:
        """How many were left out before the picture that has just come out, in shown order."""
        while pts is not None and self._open and self._open[0] <= pts:
            self._counted += heapq.heappop(self._open) != pts
        counted, self._counted = self._counted, 0
        return counted

    def rest(self) -> int:
        """How many were left out after the last picture: the stream is over."""
        counted, self._counted = self._counted + len(self._open), 0
        self._open.clear()
        return counted
