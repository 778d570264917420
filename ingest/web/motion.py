"""Plays a web camera's pictures as one well-formed stream: Motion JPEG, or one picture an answer.

FFmpeg reads Motion JPEG only as the standard has it, and a picture's address only once. So the
pictures are taken from what the camera sends, and written anew.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from contract.errors import UploadError
from ingest.encoding import encode_jpeg
from ingest.reach.address import Address
from ingest.reach.errors import no_video
from ingest.web.client import Answer, WebClient
from ingest.web.pictures import PNG, AnsweredPictures
from ingest.web.snapshots import MayWant, Snapshots
from runtime.image_files import decode_image

FORMAT: Final = "mpjpeg"
"""FFmpeg's name of what is written here."""
PNG_QUALITY: Final = 95


class MotionBody:
    """The pictures of an answer, and of further answers if each has one picture only."""

    def __init__(
        self, client: WebClient, camera: Address, answer: Answer, begun: bytes, may_want: MayWant
    ) -> None:
        """`begun`: the bytes of the answer that were already read.

        may_want: returns False for a time (steady seconds) at which no picture is needed.
        """
        self._client = client
        self._camera = camera
        self._answer = answer
        self._may_want = may_want
        self._pictures = AnsweredPictures(camera, answer, begun)
        self._ready: deque[bytes] = deque()
        self._written: deque[memoryview] = deque()
        """What is still to be read of the current picture."""
        self._snapshots: Snapshots | None = None

    @property
    def polled(self) -> bool:
        """Whether each answer has one picture, so that the camera is asked again and again."""
        return self._snapshots is not None

    def open(self, multipart: bool) -> None:
        """Wait for the first picture, and find out whether it is the only one of its answer.

        `multipart`: the answer announces several; then its second picture is not waited for.

        Raises:
            SourceError, OSError: there is no picture.
        """
        first = self._pictures.next()
        if not first:
            raise no_video(self._camera, "something else (a web page?)")
        self._ready.append(first)
        if multipart:
            return
        if second := self._pictures.next():
            self._ready.append(second)
        else:
            self._poll(first)

    def read(self, most: int) -> bytes:
        """Return the next bytes of the stream, at most `most`; empty at its end.

        Raises:
            SourceError, OSError: there is no further picture.
        """
        if not self._written and (picture := self._next()):
            try:
                self._written.extend(map(memoryview, _part(picture)))
            except UploadError:
                raise no_video(self._camera, "a PNG picture that cannot be decoded") from None
        if not self._written:
            return b""
        piece = self._written.popleft()
        if len(piece) > most:
            self._written.appendleft(piece[most:])
        return bytes(piece[:most])

    def close(self) -> None:
        """Hang up."""
        self._answer.close()
        self._client.close()

    def _next(self) -> bytes:
        """Return the next picture; empty at the end of the stream."""
        if self._ready:
            return self._ready.popleft()
        if self._snapshots:
            return self._snapshots.next()
        picture = self._pictures.next()
        # Some cameras announce a stream, and end it after its first picture.
        if not picture and self._pictures.taken == 1:
            return self._poll(b"").next()
        return picture

    def _poll(self, picture: bytes) -> Snapshots:
        self._snapshots = Snapshots(self._client, self._camera, self._may_want)
        self._snapshots.begin(self._answer, picture)
        return self._snapshots


def _part(picture: bytes) -> tuple[bytes, bytes, bytes]:
    """Return a picture as a part of a stream, in three pieces.

    Raises:
        UploadError: a PNG picture is damaged or too large.
    """
    if picture.startswith(PNG):
        picture = encode_jpeg(decode_image(picture), PNG_QUALITY)
    head = f"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
    return head.encode(), picture, b"\r\n"
