"""Endless variations of the training faces, drawn so that no label drowns."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

import keras
import numpy as np
import numpy.typing as npt

from contract.people.verdicts import VERDICTS
from models.labelled_faces import FacePatch
from models.training.augmentation import augment, plain
from models.training.recipe import MARGIN

LABEL_SHARES: Final = {"mask": 0.36, "incorrect": 0.16, "no_mask": 0.48, "unknown": 0.12}
"""How often each label is drawn: *incorrect* is 7 % of the faces, and would be ignored. A fifth
of the bare faces drawn come out with a painted mask, which makes it about 40 / 22 / 38."""
FLAG_WEIGHTS: Final = {"synthetic": 0.5, "headbox": 0.7, "squeezed": 0.6, "crop": 0.2}
"""How often a face is drawn relative to others of its label, where its image is flagged."""
SIZE_EDGES_PX: Final = (24, 48)
SIZE_SHARES: Final = (0.15, 0.25, 0.6)
"""How often faces of each size are drawn, of masked and of bare ones alike. In the data small
faces are mostly masked (crowds of 2020), and a blur must not by itself mean a mask: without
this, a sixth of the bare faces of the concourse clip were judged masked."""
SIZE_BALANCED: Final = ("mask", "no_mask")


class AugmentedBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """Random batches of (B, S, S, 3) uint8 RGB crops and (B,) int labels.

    Reproducible: batch `i` of epoch `e` depends on nothing but the seed, `e` and `i`.
    """

    def __init__(
        self,
        patches: Sequence[FacePatch],
        *,
        size: int,
        batch_size: int,
        batches: int,
        seed: int,
        epoch: int = 0,
        unclear_chance: float = 0.0,
    ) -> None:
        """`size` is the crops' side in pixels; `epoch` the one to begin with.

        `unclear_chance`: how often a face is made one that cannot be judged.
        """
        super().__init__(workers=min(2, os.cpu_count() or 1), max_queue_size=16)
        self._patches = patches
        self._odds = draw_odds(patches)
        self._size = size
        self._batch_size = batch_size
        self._batches = batches
        self._seed = seed
        self._epoch = epoch
        self._unclear_chance = unclear_chance

    def __len__(self) -> int:
        """Batches in an epoch."""
        return self._batches

    def __getitem__(self, index: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        """The batch of that index in the present epoch."""
        rng = np.random.default_rng((self._seed, self._epoch, index))
        drawn = rng.choice(len(self._patches), self._batch_size, p=self._odds)
        views = [self._view(self._patches[i], rng) for i in drawn]
        crops = np.stack([crop for crop, _ in views])[..., ::-1]
        return np.ascontiguousarray(crops), np.array([label for _, label in views], np.int64)

    def _view(
        self, patch: FacePatch, rng: np.random.Generator
    ) -> tuple[npt.NDArray[np.uint8], int]:
        elsewhere = None
        if self._unclear_chance and rng.random() < self._unclear_chance:
            elsewhere = self._patches[int(rng.integers(len(self._patches)))].image
        return augment(patch, rng, margin=MARGIN, size=self._size, elsewhere=elsewhere)

    def on_epoch_end(self) -> None:
        """Move on to other random numbers."""
        self._epoch += 1


def draw_odds(patches: Sequence[FacePatch]) -> npt.NDArray[np.float64]:
    """Each patch's probability of being drawn: (N,) float64 that sums to one."""
    faces = [patch.face for patch in patches]
    odds = np.array([np.prod([FLAG_WEIGHTS.get(flag, 1.0) for flag in f.flags]) for f in faces])
    labels = np.array([face.label for face in faces])
    sizes = np.digitize([face.longer_side_px for face in faces], SIZE_EDGES_PX)
    for label, name in enumerate(VERDICTS):
        if name in SIZE_BALANCED:
            for size, share in enumerate(SIZE_SHARES):
                _scale_to(odds, (labels == label) & (sizes == size), share)
        _scale_to(odds, labels == label, LABEL_SHARES[name])
    return np.asarray(odds / odds.sum(), np.float64)


def _scale_to(odds: npt.NDArray[np.float64], chosen: npt.NDArray[np.bool_], total: float) -> None:
    """Scale the chosen odds, in place, to sum to `total`."""
    if chosen.any():
        odds[chosen] *= total / odds[chosen].sum()


def plain_arrays(
    patches: Sequence[FacePatch], size: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """The faces as serving sees them: (N, S, S, 3) uint8 RGB crops and (N,) labels."""
    crops = [plain(patch, margin=MARGIN, size=size) for patch in patches]
    x = np.ascontiguousarray(np.stack(crops)[..., ::-1])
    return x, np.array([patch.face.label for patch in patches], np.int64)
