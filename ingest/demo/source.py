"""The demo as a source of frames."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import cast

import cv2

from ingest.captured import CapturedFrame, LifeSign, StreamInfo, always
from ingest.demo.options import DemoOptions, parse_demo
from ingest.demo.scene import Scene
from ingest.encoding import Image
from ingest.health import StreamHealth
from runtime.video.pictures import fit_size


class DemoSource:
    """Delivers frames at the demo's rate, and draws only the frames that are analysed.

    The scene follows the clock, so a restarted reader continues where the previous one stopped.
    """

    def __init__(
        self, options: DemoOptions, life: LifeSign, clock: Callable[[], float] = time.time
    ) -> None:
        self._options = options
        self._clock = clock
        self._life = life
        self._scene = Scene(options)
        self.info = StreamInfo(options.width, options.height, "synthetic", options.fps, "demo")
        self.health = StreamHealth()

    def close(self) -> None:
        """Nothing is held."""

    def frames(self, may_want: Callable[[float], bool] = always) -> Iterator[CapturedFrame]:
        del may_want  # a frame costs nothing until it is drawn
        number = math.ceil(self._clock() * self._options.fps)
        while True:
            shown_at_s = number / self._options.fps
            if self._life.wait(max(0.0, shown_at_s - self._clock())):
                return
            yield CapturedFrame(shown_at_s, self._clock(), self._picture(shown_at_s))
            # A machine too slow for the rate delivers fewer frames, never old ones.
            number = max(number + 1, math.ceil(self._clock() * self._options.fps - 1.0))

    def _picture(self, time_s: float) -> Picture:
        return Picture(self._scene, time_s)


class Picture:
    """A frame not drawn yet."""

    def __init__(self, scene: Scene, time_s: float) -> None:
        self._scene = scene
        self._time_s = time_s

    def __call__(self, max_width: int) -> Image:
        image = self._scene.render(self._time_s)
        size = fit_size(image.shape[1], image.shape[0], max_width)
        if size[0] == image.shape[1]:
            return image
        return cast(Image, cv2.resize(image, size, interpolation=cv2.INTER_AREA))


def open_demo(source: str, life: LifeSign, clock: Callable[[], float] = time.time) -> DemoSource:
    """Open a `demo:` source; raise `SourceNotFoundError` when its options are unknown."""
    return DemoSource(parse_demo(source), life, clock)
