"""The real clips, frame by frame, and which of their frames a camera at a lower rate would give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import av
import numpy as np
import numpy.typing as npt

from benchmarks.system import SHARED, clip
from runtime.video.sampler import Sampler

Image = npt.NDArray[np.uint8]

BEGIN_S: Final = 1_790_000_000.0
"""The first frame's time on the tracker's clock, for which zero means never."""
RATES: Final = (5.0, 8.0, 25.0)
"""Frames a second. A clip with a lower rate of its own is analysed at that instead."""


@dataclass(frozen=True)
class ClipFrame:
    """One frame of a clip."""

    number: int
    """From 0."""
    time_s: float
    """Since the first frame, by the file's timestamps."""
    image: Image
    """`(H, W, 3)` uint8 BGR."""


def clip_names() -> list[str]:
    """File names of all clips beside the project."""
    return sorted(path.name for path in (SHARED / "video").glob("*.mp4"))


def frames(name: str) -> Iterator[ClipFrame]:
    """Yield every frame of a clip."""
    with av.open(str(clip(name))) as container:
        stream = container.streams.video[0]
        first_s: float | None = None
        for number, frame in enumerate(container.decode(stream)):
            time_s = float(frame.time or 0.0)
            first_s = time_s if first_s is None else first_s
            image = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
            yield ClipFrame(number, round(time_s - first_s, 6), image)


def sampled(times_s: npt.NDArray[np.float64], fps: float) -> npt.NDArray[np.bool_]:
    """Which of a clip's frames, `(n,)` seconds, ingest hands on at `fps`."""
    sampler = Sampler(fps)
    return np.array([sampler.wants(float(time_s)) for time_s in times_s], bool)
