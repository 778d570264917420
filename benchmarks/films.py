"""Films for benchmarks: real ones from beside the project, and rendered ones made on the spot."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Final

import av

from ingest.demo.options import parse_demo
from ingest.demo.scene import Scene

BEGINS_S: Final = 1000.0
"""Scene time of the first frame: people are in view by then."""


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
