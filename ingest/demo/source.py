"""The demo as a source of frames."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator

from contract.cameras.picture_options import AS_SIGNALLED, PictureOptions
from ingest.captured import CapturedFrame, LifeSign, StreamInfo, always
from ingest.demo.options import DemoOptions, parse_demo
from ingest.demo.scene import Scene
from ingest.encoding import Image
from ingest.health import StreamHealth
from runtime.video.pictures import PictureMaker


class DemoSource:
    """Delivers frames at the demo's rate, and draws only the frames that are analysed.

    The scene follows the clock, so a restarted reader continues where the previous one stopped.
    """

    def __init__(
        self,
        options: DemoOptions,
        life: LifeSign,
        clock: Callable[[], float] = time.time,
        picture_options: PictureOptions = AS_SIGNALLED,
    ) -> None:
        self._options = options
        self._clock = clock
        self._life = life
        self._scene = Scene(options)
        self._pictures = PictureMaker(None, picture_options)
        size = self._pictures.size(options.width, options.height)
        self.info = StreamInfo(*size, "synthetic", options.fps, "demo")
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
            image = Picture(self._scene, self._pictures, shown_at_s)
            yield CapturedFrame(shown_at_s, self._clock(), image)
            # A machine too slow for the rate delivers fewer frames, never old ones.
            number = max(number + 1, math.ceil(self._clock() * self._options.fps - 1.0))


class Picture:
    """A frame not drawn yet."""

    def __init__(self, scene: Scene, pictures: PictureMaker, time_s: float) -> None:
        self._scene = scene
        self._pictures = pictures
        self._time_s = time_s

    def __call__(self, max_width: int) -> Image:
        return self._pictures.of_image(self._scene.render(self._time_s), max_width)


def open_demo(
    source: str,
    life: LifeSign,
    clock: Callable[[], float] = time.time,
    picture_options: PictureOptions = AS_SIGNALLED,
) -> DemoSource:
    """Open a `demo:` source; raise `SourceNotFoundError` when its options are unknown."""
    return DemoSource(parse_demo(source), life, clock, picture_options)
