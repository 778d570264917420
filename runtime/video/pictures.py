"""Pictures as people see them: upright, of square pixels, without the comb of interlaced video.

Colours need no care of ours: swscale reads the matrix (BT.601, BT.709, BT.2020) and the range of
each frame, and takes a frame that names none for BT.601 in the limited range.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final, cast

import cv2
import numpy as np
from av.sidedata.sidedata import SideDataContainer
from av.sidedata.sidedata import Type as SideData
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from contract.cameras.picture_options import AS_SIGNALLED, PictureOptions

Image = NDArray[np.uint8]
"""`(H, W, 3)` BGR."""

WIDEST_PIXEL: Final = 4
"""Pixels more than this many times as wide as high, or as high as wide, are the file's mistake."""
UPRIGHT: Final = (1, 0, 0, 1)
ONE: Final = 1 << 16
"""In FFmpeg's display matrix."""

Turn = tuple[int, int, int, int]
"""The linear part (a, b, c, d) of FFmpeg's display matrix: x' = a x + c y, y' = b x + d y."""
CLOCKWISE: Final[dict[int, Turn]] = {
    0: UPRIGHT,
    90: (0, 1, -1, 0),
    180: (-1, 0, 0, -1),
    270: (0, -1, 1, 0),
}
WIDE: Final = Fraction(16, 9)
OLD: Final = Fraction(4, 3)
HALVED: Final[dict[tuple[int, int], Fraction]] = {
    (640, 720): WIDE,
    (960, 1080): WIDE,
    (1280, 1440): WIDE,
    (1440, 1620): WIDE,
    (352, 480): OLD,
    (352, 576): OLD,
    (704, 240): OLD,
    (704, 288): OLD,
    (720, 240): OLD,
    (720, 288): OLD,
}
"""Stored sizes that recorders use for pictures of half the width ("1080N", half D1) or half the
height (2CIF), with the shape that is meant. Many recorders signal no shape of pixels for them."""


class PictureMaker:
    """Makes the pictures of one stream. Belongs to one thread.

    It keeps from frame to frame what it prepared for their size and format.
    """

    def __init__(
        self, pixel_aspect: Fraction | None = None, options: PictureOptions = AS_SIGNALLED
    ) -> None:
        """`pixel_aspect` is the stream's width of a pixel over its height; None: it names none."""
        self._signalled = _believed(pixel_aspect)
        self._shape = options.shape
        self._rotate = CLOCKWISE[options.rotate]
        self._reformatter = VideoReformatter()

    def size(self, width: int, height: int, turn: Turn = UPRIGHT) -> tuple[int, int]:
        """Return the width and height at which a stored `width` x `height` picture is seen."""
        aspect = self._pixel_aspect(width, height)
        if aspect > 1:
            width = round(width * aspect)
        else:
            height = round(height / aspect)
        return (height, width) if _transposes(self._whole(turn)) else (width, height)

    def size_of(self, frame: VideoFrame) -> tuple[int, int]:
        """Return the width and height at which a decoded frame is seen."""
        return self.size(frame.width, frame.height, turn_of(frame))

    def picture(self, frame: VideoFrame, max_width: int) -> Image:
        """Return a decoded frame as `(H, W, 3)` uint8 BGR, at most `max_width` wide."""
        turn = turn_of(frame)
        width, height = self._fitted(frame.width, frame.height, turn, max_width)
        if not frame.interlaced_frame:
            return turned(self._bgr(frame, width, height), self._whole(turn))
        # The other field was filmed a moment later: on who walks, both together are a comb.
        field = self._bgr(frame, frame.width, frame.height)[::2]
        whole = cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR)
        return turned(cast(Image, whole), self._whole(turn))

    def of_image(self, image: Image, max_width: int) -> Image:
        """Return an upright `(H, W, 3)` BGR image as `picture` returns a frame."""
        height, width = image.shape[:2]
        size = self._fitted(width, height, UPRIGHT, max_width)
        if size != (width, height):
            image = cast(Image, cv2.resize(image, size, interpolation=cv2.INTER_AREA))
        return turned(image, self._rotate)

    def _fitted(self, width: int, height: int, turn: Turn, max_width: int) -> tuple[int, int]:
        """Return the size at which to convert a picture, before it is turned."""
        fitted = fit_size(*self.size(width, height, turn), max_width)
        return fitted[::-1] if _transposes(self._whole(turn)) else fitted

    def _whole(self, turn: Turn) -> Turn:
        """Return the stream's turn, and the camera's setting after it, in one."""
        if self._rotate == UPRIGHT:
            return turn
        (a, b, c, d), (e, f, g, h) = turn, self._rotate
        return (a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h)

    def _pixel_aspect(self, width: int, height: int) -> Fraction:
        if self._shape is not None:
            return self._shape * height / width
        if self._signalled is not None:
            return self._signalled
        meant = HALVED.get((width, height))
        return meant * height / width if meant else Fraction(1)

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
    # Not `frame.side_data`: the frame would keep that, and that the frame. Such circles stay in
    # memory until Python looks for them, 600 MB of pictures at 1080p.
    side_data: Any = SideDataContainer(frame)  # type: ignore[call-arg]
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


def _believed(aspect: Fraction | None) -> Fraction | None:
    """Return the shape of a pixel that a stream names, square if it is nonsense."""
    if not aspect:
        return None
    return aspect if Fraction(1, WIDEST_PIXEL) <= aspect <= WIDEST_PIXEL else Fraction(1)
