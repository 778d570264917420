"""A real RTSP server (GStreamer's) for tests, playing MP4 files without re-encoding."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import quote

import av
import pytest
from av.bitstream import BitStreamFilterContext

SYSTEM_PYTHON: Final = "/usr/bin/python3"
SCRIPT: Final = Path(__file__).with_name("gst_rtsp_server.py")
PACKAGES: Final = (
    "gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good "
    "gstreamer1.0-plugins-bad python3-gi"
)
_CHECK: Final = (
    "import gi; gi.require_version('GstRtspServer', '1.0'); "
    "from gi.repository import Gst, GstRtspServer; Gst.init(None); "
    "assert Gst.ElementFactory.find('h264parse') and Gst.ElementFactory.find('rtph264pay')"
)


class RtspServer:
    """Clips, H.264 files, served under their names; it may be stopped and started again.

    Raises:
        pytest.skip.Exception: GStreamer's RTSP server is not installed.
    """

    def __init__(
        self,
        clips: dict[str, Path],
        folder: Path,
        user: str | None = None,
        password: str | None = None,
        digest: bool = False,
        udp: bool = False,
    ) -> None:
        self._clips = clips
        self._folder = folder
        self._how = {"user": user, "password": password, "digest": digest, "udp": udp}
        self._port = 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """`rtsp://127.0.0.1:PORT`, the same after every start."""
        return f"rtsp://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        """The server's process, of a server that was started."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start, or start again on the same port, and return when it listens."""
        if not self._port:
            _require_gstreamer()
            self._clips = {name: _unpack(clip, self._folder / name) for name, clip in self._items()}
        order = {"clips": {name: str(folder) for name, folder in self._items()}, "port": self._port}
        self._process = subprocess.Popen(
            [SYSTEM_PYTHON, str(SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({**order, **self._how}) + "\n")
        self._process.stdin.flush()
        self._port = int(self._process.stdout.readline())

    def kill(self) -> None:
        """End the server at once."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def _items(self) -> Iterable[tuple[str, Path]]:
        return self._clips.items()


@contextmanager
def rtsp_server(
    clips: dict[str, Path],
    user: str | None = None,
    password: str | None = None,
    digest: bool = False,
    udp: bool = False,
) -> Iterator[str]:
    """Serve each clip, an H.264 file, under its name; yield `rtsp://127.0.0.1:PORT`.

    udp: over UDP alone.

    Skips the test where GStreamer's RTSP server is not installed.
    """
    with TemporaryDirectory(prefix="rtsp") as folder:
        server = RtspServer(clips, Path(folder), user, password, digest, udp)
        server.start()
        try:
            yield server.url
        finally:
            server.kill()


def with_login(url: str, user: str, password: str) -> str:
    """Return `url` with a user and password, encoded as standards ask."""
    return url.replace("://", f"://{quote(user, safe='')}:{quote(password, safe='')}@", 1)


def _require_gstreamer() -> None:
    try:
        subprocess.run([SYSTEM_PYTHON, "-c", _CHECK], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"needs GStreamer's RTSP server: apt-get install {PACKAGES}")


def _unpack(clip: Path, folder: Path) -> Path:
    """Write the clip's H.264 access units to `folder`, as the server script wants them."""
    folder.mkdir()
    units, position = [], 0
    with av.open(str(clip)) as container, (folder / "video.h264").open("wb") as out:
        stream = container.streams.video[0]
        to_annex_b = BitStreamFilterContext("h264_mp4toannexb", stream)
        for packet in container.demux(stream):
            for unit in to_annex_b.filter(packet if packet.size else None):
                data = bytes(unit)
                time_s = float((unit.pts or 0) * unit.time_base)
                units.append((position, out.write(data), time_s, unit.is_keyframe))
                position += len(data)
        rate = stream.average_rate
        assert rate is not None
    first_s = min(unit[2] for unit in units)
    index = {
        "units": [(start, size, time_s - first_s, key) for start, size, time_s, key in units],
        "duration_s": len(units) / float(rate),
    }
    (folder / "units.json").write_text(json.dumps(index))
    return folder
