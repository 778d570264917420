"""Plays an HLS playlist: its segments, one after another, as one stream of bytes.

Everything in a playlist, including further playlists and keys, is requested like the camera's own
address. Sound, subtitles, key-frame playlists and other entries are ignored.
"""

from __future__ import annotations

import time
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from contract.errors import SourceNotFoundError
from ingest.reach.address import Address
from ingest.reach.errors import no_video
from ingest.web.client import NO_HEADERS, Answer, WebClient
from ingest.web.playlist import BEGINNING, MOST_BYTES, Key, Part, Playlist, Segment, parse_playlist

MOST_NESTED: Final = 3
"""Most nested playlists; RFC 8216 has two."""
BEHIND: Final = 3
"""Segments before the live edge at which playing starts (RFC 8216, 6.3.3)."""
MOST_MISSING: Final = 2
"""Most segments in a row that a live camera may have removed before we requested them."""
LONGEST_PAUSE_S: Final = 30.0
SHORTEST_PAUSE_S: Final = 0.25
_BLOCK: Final = 16


def is_playlist(beginning: bytes) -> bool:
    """Whether a body begins as a playlist does."""
    return beginning.removeprefix(b"\xef\xbb\xbf").startswith(BEGINNING)


class HlsBody:
    """The segments of a playlist as one stream."""

    def __init__(self, client: WebClient, camera: Address, answer: Answer, begun: bytes) -> None:
        """`begun`: the bytes of the answer that were already read."""
        self._client = client
        self._camera = camera
        self._answer = answer
        self._begun = begun
        self._here = answer.address
        self._read_at_s = 0.0
        self._playlist = Playlist((), (), 0.0, ended=True)
        self._next = 0
        self._header: Part | None = None
        self._parts: list[tuple[Part, int]] = []
        self._body: _PartBody | None = None
        self._missing = 0
        self._moved_on = True
        self._key: tuple[str, bytes] = ("", b"")

    def open(self) -> None:
        """Read the playlist, and those it leads to, down to one that names segments.

        Raises:
            SourceError, OSError: one of them cannot be had, or leads where nothing may.
        """
        playlist = self._parsed(self._answer, self._begun)
        for _ in range(MOST_NESTED):
            if not playlist.variants:
                break
            # Choose the largest picture and, among equals, the best one.
            best = max(playlist.variants, key=lambda one: (one.width, one.bits_s))
            self._here = self._client.follow(self._here, best.uri)
            playlist = self._fetched()
        if not playlist.segments:
            raise no_video(self._camera, "a playlist without video")
        self._begin(playlist)

    def read(self, most: int) -> bytes:
        """Return the next bytes, at most `most`; empty at the end.

        Raises:
            SourceError, OSError: what the playlist names cannot be had.
        """
        while True:
            self._client.deadline.left_s()
            if self._body is None and not self._began_part():
                return b""
            if self._body and (data := self._body.read(most)):
                return data
            self.close()

    def close(self) -> None:
        """Hang up."""
        if self._body:
            self._body.close()
            self._body = None

    def _begin(self, playlist: Playlist) -> None:
        """Play from the beginning of a recording, or from shortly before the live edge."""
        skipped = 0 if playlist.ended else max(0, len(playlist.segments) - BEHIND)
        self._playlist = playlist
        self._next = playlist.segments[skipped].number
        self._header = playlist.segments[skipped].header
        self._parts = [] if self._header is None else [(self._header, 0)]

    def _began_part(self) -> bool:
        """Request the next part; return False at the end."""
        if not self._parts:
            segment = self._segment()
            # Another header needs another decoder: end here, and the reader reconnects.
            if segment is None or segment.header != self._header:
                return False
            self._parts = [(segment.part, segment.number)]
        part, number = self._parts.pop(0)
        try:
            self._body = self._opened(part, number)
            self._missing = 0
        except SourceNotFoundError:
            self._missing += 1
            if self._playlist.ended or self._missing > MOST_MISSING:
                raise
        return True

    def _segment(self) -> Segment | None:
        """Return the next segment once the camera has it; None if there will be none."""
        while True:
            segments = self._playlist.segments
            # Numbers go up by one: where the first wanted one is, is known.
            at = max(0, self._next - segments[0].number) if segments else 0
            if at < len(segments):
                self._next = segments[at].number + 1
                return segments[at]
            if self._playlist.ended:
                return None
            self._reload()

    def _reload(self) -> None:
        """Wait until the camera may have a new segment (RFC 8216, 6.3.4), and ask."""
        pause_s = self._playlist.target_s / (1 if self._moved_on else 2)
        pause_s = min(max(pause_s, SHORTEST_PAUSE_S), LONGEST_PAUSE_S)
        pause_s = max(0.0, self._read_at_s + pause_s - time.monotonic())
        time.sleep(min(pause_s, self._client.deadline.left_s()))
        playlist = self._fetched()
        newest = playlist.segments[-1].number if playlist.segments else self._next - 1
        self._moved_on = newest >= self._next
        if newest < self._next - 1:
            self._begin(playlist)  # a restarted camera numbers its segments from the beginning
        elif playlist.segments or playlist.ended:
            self._playlist = playlist

    def _fetched(self) -> Playlist:
        return self._parsed(self._client.get(self._here), b"")

    def _parsed(self, answer: Answer, begun: bytes) -> Playlist:
        try:
            rest = answer.read_all(MOST_BYTES)
        finally:
            answer.close()
        if rest is None:
            raise no_video(self._camera, f"a playlist of more than {MOST_BYTES} bytes")
        self._here, self._read_at_s = answer.address, time.monotonic()
        try:
            return parse_playlist(begun + rest)
        except ValueError:
            raise no_video(self._camera, "a playlist that leads to none") from None

    def _opened(self, part: Part, number: int) -> _PartBody:
        cipher = self._cipher(part.key, number) if part.key else None
        address = self._client.follow(self._here, part.uri)
        answer = self._client.get(address, part.wanted.headers if part.wanted else NO_HEADERS)
        skipped = part.wanted.start if part.wanted and answer.status == 200 else 0
        length = part.wanted.length if part.wanted else None
        return _PartBody(answer, skipped, length, cipher)

    def _cipher(self, key: Key, number: int) -> CipherContext:
        if key.method != "AES-128":
            raise no_video(self._camera, f"segments encrypted by {key.method[:20]!a}")
        if self._key[0] != key.uri:
            answer = self._client.get(self._client.follow(self._here, key.uri))
            try:
                word = answer.read_all(_BLOCK)
            finally:
                answer.close()
            if word is None or len(word) != _BLOCK:
                raise no_video(self._camera, "segments encrypted with a key that is none")
            self._key = (key.uri, word)
        iv = key.iv or number.to_bytes(_BLOCK, "big")
        return Cipher(AES(self._key[1]), CBC(iv)).decryptor()


class _PartBody:
    """The bytes of one segment, or of its header."""

    def __init__(
        self, answer: Answer, skipped: int, length: int | None, cipher: CipherContext | None
    ) -> None:
        """skipped: bytes before it, of a server that sends the whole file."""
        self._answer = answer
        self._skipped = skipped
        self._left = length
        self._cipher = cipher
        self._held = b""

    def read(self, most: int) -> bytes:
        """Return the next bytes, at most `most`; empty at the end."""
        if self._cipher is None:
            return self._received(most)
        # A block less: what was held back comes along. The last block says where the end is.
        while data := self._received(max(most - _BLOCK, 1)):
            plain = self._held + self._cipher.update(data)
            self._held = plain[-_BLOCK:]
            if ready := plain[:-_BLOCK]:
                return ready
        last, self._held = self._held, b""
        return last[: -last[-1]] if last and last[-1] <= _BLOCK else last

    def close(self) -> None:
        """Hang up."""
        self._answer.close()

    def _received(self, most: int) -> bytes:
        while self._skipped and (data := self._answer.read(min(most, self._skipped))):
            self._skipped -= len(data)
        if self._left is not None:
            most = min(most, self._left)
        data = self._answer.read(most) if most else b""
        if self._left is not None:
            self._left -= len(data)
        return data
