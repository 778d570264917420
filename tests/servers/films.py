"""Film as cameras send it: access units without a container, made on the spot."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Final, Literal, cast

import av
import cv2
import numpy as np
from av.video.codeccontext import VideoCodecContext

Codec = Literal["h264", "hevc", "mjpeg"]

FPS: Final = 25
_START_CODE: Final = re.compile(rb"\x00\x00\x00?\x01")
_ENCODERS: Final = {"h264": "libx264", "hevc": "libx265"}
_PARAMETER_SETS: Final = {"h264": {7, 8}, "hevc": {32, 33, 34}}


@dataclass(frozen=True)
class Unit:
    """One picture: its NAL units without start codes; of MJPEG, the one JPEG."""

    nals: tuple[bytes, ...]
    key: bool

    @property
    def annex_b(self) -> bytes:
        return b"".join(b"\x00\x00\x00\x01" + nal for nal in self.nals)


@dataclass(frozen=True)
class Film:
    """A few seconds that are played in a loop. A key frame begins it, and each second after."""

    codec: Codec
    size: tuple[int, int]
    units: tuple[Unit, ...]

    @property
    def parameter_sets(self) -> list[bytes]:
        """What a session's description says of the decoder."""
        wanted = _PARAMETER_SETS[self.codec]
        return [nal for nal in self.units[0].nals if _nal_type(nal, self.codec) in wanted]

    def unit(self, number: int) -> Unit:
        return self.units[number % len(self.units)]

    def as_file(self) -> io.BytesIO:
        """The whole film, for FFmpeg to read."""
        return io.BytesIO(b"".join(unit.annex_b for unit in self.units))


@cache
def make_film(codec: Codec = "h264", size: tuple[int, int] = (320, 180), seconds: int = 4) -> Film:
    """A bar moves over a plane that is not quite plain; `size` is width and height."""
    pictures = [_picture(number, size) for number in range(seconds * FPS)]
    if codec == "mjpeg":
        jpegs = [cv2.imencode(".jpg", picture)[1].tobytes() for picture in pictures]
        return Film(codec, size, tuple(Unit((jpeg,), True) for jpeg in jpegs))
    context = cast(VideoCodecContext, av.CodecContext.create(_ENCODERS[codec], "w"))
    context.width, context.height, context.pix_fmt = *size, "yuv420p"
    context.time_base, context.framerate = Fraction(1, FPS), Fraction(FPS)
    context.gop_size = FPS
    context.options = {"preset": "ultrafast", "tune": "zerolatency"}
    if codec == "hevc":
        context.options |= {"x265-params": "log-level=none:pools=1"}
    packets = []
    for number, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
        frame.pts = number
        packets += context.encode(frame)
    packets += context.encode(None)
    return Film(codec, size, tuple(Unit(_nals(bytes(p)), p.is_keyframe) for p in packets))


def _picture(number: int, size: tuple[int, int]) -> np.ndarray:
    width, height = size
    picture = np.full((height, width, 3), 60, np.uint8)
    picture[::8, ::8] = 90
    left = number * 7 % (width - 20)
    picture[:, left : left + 20] = (20, 200, 240)
    return picture


def _nals(data: bytes) -> tuple[bytes, ...]:
    return tuple(nal for nal in _START_CODE.split(data) if nal)


def _nal_type(nal: bytes, codec: Codec) -> int:
    return nal[0] & 0x1F if codec == "h264" else nal[0] >> 1 & 0x3F
