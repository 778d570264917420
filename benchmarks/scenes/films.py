"""Films for benchmarks: real ones from beside the project, and rendered ones made on the spot."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Final

import av

from benchmarks.system import SHARED
from ingest.demo.options import parse_demo
from ingest.demo.scene import Scene

BEGINS_S: Final = 1000.0
"""Scene time of the first frame: people are in view by then."""

CLIP: Final = "concourse_1080p.mp4"
STAND_IN: Final = "demo:seed=3&people=8&width=1920"
STAND_IN_S: Final = 6.0


def real_concourse() -> Path | None:
    """The real clip of people in an arcade, 1920x1080 at 25 fps, if it is beside the project."""
    path = SHARED / "video" / CLIP
    return path if path.is_file() else None


@cache
def concourse() -> Path:
    """The real clip; a rendered film of the same size and rate where that is missing.

    Says which. Figures with the one are not comparable to figures with the other.
    """
    real = real_concourse()
    if real:
        return real
    folder = tempfile.mkdtemp(prefix="films-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    print(f"{CLIP} is not in ../shared/video: a rendered film stands in for it", flush=True)
    return write_demo_film(STAND_IN, Path(folder) / "rendered.mp4", STAND_IN_S)


def write_demo_film(source: str, path: Path, seconds: float, fps: int = 25) -> Path:
    """Render a `demo:` scene into an H.264 file as a camera would send it, and return its path."""
    scene = Scene(parse_demo(source))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = 2 * fps
        stream.codec_context.time_base = Fraction(1, fps)
        stream.options = {"preset": "veryfast", "crf": "21", "tune": "zerolatency"}
        for number in range(round(seconds * fps)):
            picture = scene.render(BEGINS_S + number / fps)
            if number == 0:
                stream.width, stream.height = picture.shape[1], picture.shape[0]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())
    return path
