"""Pictures as people see them: upright, of square pixels, without the comb of interlaced video."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final, cast

import cv2
import numpy as np
from av.sidedata.sidedata import Type as SideData
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""`(H, W, 3)` BGR."""

WIDEST_PIXEL: Final = 4
"""Pixels more than this many times as wide as high, or as high as wide, are the file's mistake."""
UPRIGHT: Final = (1, 0, 0, 1)
ONE: Final = 1 << 16
"""In FFmpeg's display matrix."""

Turn = tuple[int, int, int, int]
"""The linear part (a, b, c, d) of FFmpeg's display matrix: x' = a x + c y, y' = b x + d y."""


class PictureMaker:
    """Makes the pictures of one stream. Belongs to one thread.

    It keeps from frame to frame what it prepared for their size and format.
    """

    def __init__(self, pixel_aspect: Fraction | None = None) -> None:
        """`pixel_aspect` is the stream's width of a pixel over its height; None means square."""
        self._aspect = _believed(pixel_aspect)
        self._reformatter = VideoReformatter()

    def size(self, width: int, height: int, turn: Turn = UPRIGHT) -> tuple[int, int]:
        """Return the width and height at which a stored `width` x `height` picture is seen."""
        if self._aspect > 1:
            width = round(width * self._aspect)
        else:
            height = round(height / self._aspect)
        return (height, width) if _transposes(turn) else (width, height)

    def picture(self, frame: VideoFrame, max_width: int) -> Image:
        """Return a decoded frame as `(H, W, 3)` uint8 BGR, at most `max_width` wide."""
        turn = turn_of(frame)
        seen = self.size(frame.width, frame.height, turn)
        width, height = fit_size(*seen, max_width)
        if _transposes(turn):
            width, height = height, width
        if not frame.interlaced_frame:
            return turned(self._bgr(frame, width, height), turn)
        # The other field was filmed a moment later: on who walks, both together are a comb.
        field = self._bgr(frame, frame.width, frame.height)[::2]
        whole = cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR)
        return turned(cast(Image, whole), turn)

    def _bgr(self, frame: VideoFrame, width: int, height: int) -> Image:
        bgr = self._reformatter.reformat(frame, width=width, height=height, format="bgr24")
        return cast(Image, bgr.to_ndarray())


def fit_size(width: int, height: int, max_width: int) -> tuple[int, int]:
    """Return width and height scaled down to `max_width`, the shape kept, both even.

    >>> fit_size(3840, 2160, 1920)
    (1920, 1080)
    """
    if width <= max_width:
        return width, height
    return max_width // 2 * 2, max(2, round(height * max_width / width / 2) * 2)


def turn_of(frame: VideoFrame) -> Turn:
    """Return how a frame is to be turned and mirrored before people see it."""
    side_data: Any = frame.side_data
    found = (bytes(one) for one in side_data if one.type == SideData.DISPLAYMATRIX)
    data = next(found, b"")
    if len(data) < 20:
        return UPRIGHT
    matrix = np.frombuffer(data, "<i4", 5)
    a, b, c, d = (round(int(part) / ONE) for part in matrix[[0, 1, 3, 4]])
    # An angle that is no quarter turn, and a matrix of zeros, are left alone.
    return (a, b, c, d) if abs(a * d - b * c) == 1 and abs(a) + abs(b) == 1 else UPRIGHT


def turned(image: Image, turn: Turn) -> Image:
    """Return `image` turned and mirrored.

    >>> turned(np.array([[1, 2]], np.uint8)[..., None], (0, -1, 1, 0))[..., 0].tolist()
    [[2], [1]]
    """
    if turn == UPRIGHT:
        return image
    a, b, c, d = turn
    across, down = (c, b) if _transposes(turn) else (a, d)
    image = image.swapaxes(0, 1) if _transposes(turn) else image
    return np.ascontiguousarray(image[:: down or 1, :: across or 1])


def _transposes(turn: Turn) -> bool:
    return turn[0] == 0


def _believed(aspect: Fraction | None) -> Fraction:
    believable = aspect and Fraction(1, WIDEST_PIXEL) <= aspect <= WIDEST_PIXEL
    return aspect if aspect and believable else Fraction(1)
