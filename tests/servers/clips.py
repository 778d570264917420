"""Small videos made on the spot."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def make_clip(
    path: Path,
    *,
    seconds: float = 2.0,
    fps: int = 25,
    size: tuple[int, int] = (320, 180),
    codec: str = "libx264",
    b_frames: int = 0,
) -> Path:
    """Write a clip of a moving bar; `size` is width and height.

    b_frames: pictures between two others that no picture is made from.
    """
    width, height = size
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.gop_size = fps // 2
        stream.codec_context.time_base = Fraction(1, fps)
        if codec == "libx264":
            stream.options = {"preset": "ultrafast", "tune": "zerolatency"}
        if b_frames:
            layout = f"bframes={b_frames}:b-adapt=0:b-pyramid=none:scenecut=0"
            stream.options = {"preset": "ultrafast", "x264-params": layout}
        for number in range(round(seconds * fps)):
            picture = np.full((height, width, 3), 60, np.uint8)
            left = number * 7 % (width - 20)
            picture[:, left : left + 20] = (20, 200, 240)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())
    return path


def make_sound(path: Path) -> Path:
    """Write a second of silence: audio without video."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000, layout="mono")
        for start in range(0, 16000, 1000):
            frame = av.AudioFrame.from_ndarray(
                np.zeros((1, 1000), np.float32), format="fltp", layout="mono"
            )
            frame.sample_rate, frame.pts = 16000, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def make_undecodable(path: Path, clip: Path) -> Path:
    """Write a copy of `clip`, an H.264 MP4, that claims a codec nobody has."""
    path.write_bytes(clip.read_bytes().replace(b"avc1", b"zzz1"))
    return path


def truncate(path: Path, clip: Path) -> Path:
    """Write the first half of `clip`, whose index is at its end."""
    data = clip.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return path


def make_hls(path: Path, clip: Path, kind: str = "mpegts") -> Path:
    """Write `clip` as a playlist with segments of a second beside it. kind: mpegts or fmp4."""
    options = {"hls_time": "1", "hls_list_size": "0", "hls_segment_type": kind}
    with av.open(str(clip)) as source, av.open(str(path), "w", "hls", options=options) as target:
        there = source.streams.video[0]
        here = target.add_stream("libx264", rate=25, options={"g": "25", "preset": "ultrafast"})
        here.width, here.height, here.pix_fmt = there.width, there.height, "yuv420p"
        for number, frame in enumerate(source.decode(there)):
            frame.pts, frame.time_base = number, Fraction(1, 25)
            frame.pict_type = 0
            target.mux(here.encode(frame))
        target.mux(here.encode())
    return path
