"""An HLS camera that is live: its playlist shows the last few segments, and moves on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.hostile import Quiet, serving

SHOWN = 4


@dataclass
class LiveHls:
    """A camera at `url`. Its segments are those of a folder, in a circle, one a second."""

    url: str = ""
    asked: list[str] = field(default_factory=list)
    began_s: float = field(default_factory=time.monotonic)
    stands: bool = False
    """Whether no further segment comes."""
    counts_from: int = 0

    def newest(self) -> int:
        """How many segments there have been so far."""
        return 0 if self.stands else int(time.monotonic() - self.began_s)

    def restart(self) -> None:
        """Count anew, as after a power cut."""
        self.began_s = time.monotonic()


@contextmanager
def live_hls(folder: Path) -> Iterator[LiveHls]:
    """Serve the `*.ts` of a folder as a live camera on 127.0.0.1."""
    camera = LiveHls()
    segments = sorted(folder.glob("*.ts"), key=lambda path: int(path.stem.lstrip("live")))

    class Handler(Quiet):
        def do_GET(self) -> None:  # noqa: N802 - what http.server calls
            camera.asked.append(self.path)
            if self.path == "/live.m3u8":
                self.answer(200, "application/vnd.apple.mpegurl", _playlist(camera.newest()))
            else:
                number = int(self.path.strip("/").removesuffix(".ts"))
                body = segments[number % len(segments)].read_bytes()
                self.answer(200, "video/mp2t", body)

    with serving("127.0.0.1", Handler) as port:
        camera.url = f"http://127.0.0.1:{port}/live.m3u8"
        yield camera


def _playlist(first: int) -> bytes:
    head = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:{first}\n"
    shown = (f"#EXTINF:1.0,\n{number}.ts\n" for number in range(first, first + SHOWN))
    return (head + "".join(shown)).encode()
