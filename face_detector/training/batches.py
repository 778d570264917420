"""Batches of crops, the same ones in every run of a seed, also after a run was resumed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import keras
import numpy as np
import numpy.typing as npt

from face_detector.anchor_detector import AnchorDetector
from face_detector.training.crops import make_crop, targets_of
from face_detector.training.lessons import Lesson

Image = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

CACHED_BYTES: Final = 3_000_000_000
"""Decoded photographs kept in memory; what is beyond is decoded each time."""


class CropBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """Pixels (B, S, S, 3) float32 BGR in 0..255 with targets as `losses.pack_targets`.

    Photographs are drawn by the square root of their number of faces, so that crowds are seen
    more often but not only, and less if what they teach has little weight.
    """

    def __init__(
        self,
        lessons: Sequence[Lesson],
        *,
        side_px: int,
        batch_size: int,
        batches: int,
        seed: int,
        first_epoch: int = 0,
        teacher: AnchorDetector | None = None,
    ) -> None:
        # One thread ahead of the network: pixels are made while it computes.
        super().__init__(workers=1, max_queue_size=4)
        self._photographs = CachedPhotographs(lessons)
        self._shares = _shares(lessons)
        self._side_px, self._batch_size, self._batches = side_px, batch_size, batches
        self._seed, self._epoch = seed, first_epoch
        self._teacher = teacher

    def __len__(self) -> int:
        return self._batches

    def __getitem__(self, index: int) -> tuple[Floats, Floats]:
        rng = np.random.default_rng((self._seed, self._epoch, index))

        def draw() -> tuple[Lesson, Image]:
            return self._photographs[int(rng.choice(len(self._shares), p=self._shares))]

        crops = [make_crop(draw, self._side_px, rng) for _ in range(self._batch_size)]
        pixels = np.stack([crop.image for crop in crops])
        said = self._said(pixels)
        targets = [targets_of(crop, rng, word) for crop, word in zip(crops, said, strict=True)]
        return pixels.astype(np.float32), np.stack(targets)

    def _said(self, pixels: Image) -> Iterable[Floats | None]:
        """The teacher's class and objectness of each crop's anchors, (anchors, 2), if any."""
        if self._teacher is None:
            return [None] * len(pixels)
        planes = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2), np.float32)
        return [rows[:, :2] for rows in self._teacher.run(planes)]

    def on_epoch_end(self) -> None:
        self._epoch += 1


class CachedPhotographs:
    """Lessons with their pixels, (H, W, 3) uint8 BGR, kept in memory once decoded."""

    def __init__(self, lessons: Sequence[Lesson]) -> None:
        self._lessons = lessons
        self._images: dict[int, Image] = {}
        self._room = CACHED_BYTES

    def __getitem__(self, index: int) -> tuple[Lesson, Image]:
        lesson = self._lessons[index]
        image = self._images.get(index)
        if image is None:
            image = lesson.photograph.read()
            if image.nbytes <= self._room:
                self._images[index] = image
                self._room -= image.nbytes
        return lesson, image


def _shares(lessons: Sequence[Lesson]) -> npt.NDArray[Any]:
    """How often each photograph is drawn; they add up to 1."""
    wanted = np.array(
        [max(float(lesson.weights.sum()), 0.3 * (not len(lesson.weights))) for lesson in lessons]
    )
    roots = np.sqrt(wanted)
    return np.asarray(roots / roots.sum())
