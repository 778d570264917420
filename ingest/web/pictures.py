"""Finds the pictures in the bytes of a web camera, whatever stands between them.

Motion JPEG comes with wrong lengths, wrong types, boundaries that are missing, quoted or spelt in
two ways, and without any of these. A JPEG or PNG picture itself says where it ends. So only the
pictures are read, and each is complete as soon as its last byte has arrived.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from typing import Final

from ingest.reach.address import Address
from ingest.reach.errors import no_video
from ingest.web.client import CHUNK_BYTES, Answer

MOST_PICTURE_BYTES: Final = 32 * 1024 * 1024
"""Largest picture: a JPEG of 8K at the highest quality has about 20 MB."""
MOST_BETWEEN_BYTES: Final = 256 * 1024
"""Most bytes between two pictures; some cameras send texts and sound there."""
MOST_TEXT_BYTES: Final = 4096
"""Most text before the first picture of a stream that is not declared as pictures."""
PNG: Final = b"\x89PNG\r\n\x1a\n"
_BEGINNING: Final = re.compile(rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n")
_HEADER: Final = re.compile(rb"[\t\r\n\x20-;=-\x7e]*+(?:\xff\xd8?+|\x89[PNG\r\n\x1a]*+)?+")
"""The header of a part, perhaps with the first bytes of its picture. A page would have a `<`."""
_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""What ends or interrupts the data of a JPEG's scan: no stuffed byte, restart or fill byte."""
_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_WITHOUT_LENGTH: Final = frozenset({0x01, *range(0xD0, 0xD8), _START})
_IN_SCANS: Final = frozenset({0xC4, _SCAN, 0xDB, 0xDC, 0xDD, 0xFE, *range(0xE0, 0xF0)})
"""Segments that may follow a scan. Any other marker there is damage."""


class NoPictureError(ValueError):
    """The data holds no picture, or one that is far too large."""


def hold_pictures(beginning: bytes) -> bool | None:
    """Whether an answer that begins like this consists of pictures; None: not told yet.

    Before the first picture there may be the header of a part, but no other data.
    """
    found = _BEGINNING.search(beginning)
    if not _HEADER.fullmatch(beginning, 0, found.start() if found else len(beginning)):
        return False
    if found:
        return True
    return None if len(beginning) < MOST_TEXT_BYTES else False


class PictureSplitter:
    """Splits data into JPEG and PNG pictures. Takes linear time, because it searches no byte twice.

    A JPEG that was cut off ends where the next one begins, and is returned, so that it is noticed.
    """

    def __init__(self) -> None:
        self._left = bytearray()
        self._at = 0
        """Bytes of `_left` whose meaning is known; 0 before a picture begins."""
        self._in_scan = False
        self._between = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the pictures that are complete now.

        Raises:
            NoPictureError: too many bytes came without a picture, or without its end.
        """
        self._left += data
        while end := self._end():
            with memoryview(self._left) as view:
                picture = bytes(view[:end])
            self._forget(end)
            self._between = 0
            yield picture
        if len(self._left) > MOST_PICTURE_BYTES:
            raise NoPictureError(f"a picture of more than {MOST_PICTURE_BYTES // 2**20} MiB")

    def rest(self) -> bytes:
        """Return a JPEG without its end, after the last data; empty if there is none."""
        rest = bytes(self._left) if self._in_scan else b""
        self._forget(len(self._left))
        return rest

    def _forget(self, count: int) -> None:
        del self._left[:count]
        self._at, self._in_scan = 0, False

    def _end(self) -> int:
        """Return the length of the first picture; 0 if it is not complete."""
        if not self._at and not self._found_beginning():
            return 0
        return self._end_of_png() if self._left.startswith(PNG) else self._end_of_jpeg()

    def _found_beginning(self) -> bool:
        found = _BEGINNING.search(self._left)
        passed_over = found.start() if found else max(0, len(self._left) - len(PNG) + 1)
        self._between += passed_over
        if self._between > MOST_BETWEEN_BYTES:
            raise NoPictureError("something else than pictures")
        del self._left[:passed_over]
        self._at = (len(PNG) if self._left.startswith(PNG) else 2) if found else 0
        return found is not None

    def _end_of_png(self) -> int:
        left = self._left
        while len(left) >= self._at + 8:
            length, kind = int.from_bytes(left[self._at : self._at + 4]), left[self._at + 4 :][:4]
            after = self._at + length + 12
            if length > MOST_PICTURE_BYTES:
                raise NoPictureError("a damaged PNG picture")
            if kind == b"IEND":
                return after if len(left) >= after else 0
            self._at = after
        return 0

    def _end_of_jpeg(self) -> int:
        left = self._left
        while self._in_scan or len(left) >= self._at + 2:
            if self._in_scan and not self._found_marker():
                return 0
            if left[self._at] != 0xFF:  # damaged: look for the next marker
                self._in_scan = True
                continue
            marker = left[self._at + 1]
            if marker == _END:
                return self._at + 2
            if marker == _START and self._at > 2:
                return self._at
            if not self._passed(marker):
                return 0
        return 0

    def _found_marker(self) -> bool:
        found = _MARKER.search(self._left, self._at)
        self._at = found.start() if found else max(self._at, len(self._left) - 1)
        return found is not None

    def _passed(self, marker: int) -> bool:
        """Go on behind a marker and its segment; return False if its length is still to come."""
        if self._in_scan and marker not in _IN_SCANS:
            self._at += 2
        elif marker == 0xFF:
            self._at += 1
        elif marker in _WITHOUT_LENGTH:
            self._at += 2
        elif len(self._left) < self._at + 4:
            return False
        else:
            self._at += 2 + max(2, int.from_bytes(self._left[self._at + 2 : self._at + 4]))
            self._in_scan = marker == _SCAN
        return True


class AnsweredPictures:
    """The pictures of one answer, one after another."""

    def __init__(self, camera: Address, answer: Answer, begun: bytes = b"") -> None:
        """`begun`: the bytes of the answer that were already read."""
        self._camera = camera
        self._answer = answer
        self._begun = begun
        self._splitter = PictureSplitter()
        self._waiting: deque[bytes] = deque()
        self.taken = 0
        """How many were returned so far."""

    def next(self) -> bytes:
        """Return the next picture as soon as it is complete; empty after the last one.

        Raises:
            SourceNoVideoError: the answer is something else.
            OSError: the connection broke, or nothing came before the deadline.
        """
        while not self._waiting:
            data, self._begun = self._begun or self._answer.read(CHUNK_BYTES), b""
            if not data:
                # Some cameras never send a picture's end mark, but one that was cut off is none.
                rest = self._splitter.rest() if self._answer.length == 0 else b""
                self.taken += bool(rest)
                return rest
            try:
                self._waiting.extend(self._splitter.feed(data))
            except NoPictureError as found:
                raise no_video(self._camera, str(found)) from None
        self.taken += 1
        return self._waiting.popleft()
