"""From a face's patch to one training sample that looks like a camera's face crop."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from contract.people.verdicts import JUDGED_VERDICTS
from models.crops import crop_faces
from models.labelled_faces import FacePatch
from models.training.camera_effects import crop_as_seen, relight
from models.training.face_frame import can_be_painted
from models.training.occluders import add_occluders
from models.training.painted_masks import Worn, paint_mask

Generator = np.random.Generator
Image = npt.NDArray[np.uint8]

NO_MASK: Final = JUDGED_VERDICTS.index("no_mask")
PAINT_CHANCE: Final = 0.3
PAINTED_SHARES: Final[tuple[tuple[Worn, str, float], ...]] = (
    ("proper", "mask", 0.42),
    ("under_nose", "incorrect", 0.26),
    ("under_mouth", "incorrect", 0.1),
    ("under_chin", "incorrect", 0.16),
    ("over_eyes", "incorrect", 0.06),
)
"""How a painted mask is worn, the label that gives, and how often."""


def augment(patch: FacePatch, rng: Generator, *, margin: float, size: int) -> tuple[Image, int]:
    """One random view of a face: (size, size, 3) uint8 BGR, and its label.

    The label differs from the patch's where a mask was painted on a bare face.
    """
    image, label = _paint(patch, rng)
    box = _jitter(patch.boxes[rng.integers(len(patch.boxes))], rng)
    if rng.random() < 0.35:
        image = _rotate(image, box, rng.uniform(-18, 18))
    crop = relight(crop_as_seen(image, box, rng, margin=margin, size=size), rng)
    if rng.random() < 0.5:
        crop = np.asarray(cv2.flip(crop, 1), np.uint8)
    return crop, label


def plain(patch: FacePatch, *, margin: float, size: int) -> Image:
    """The view that serving has: the detector's box if there is one, nothing random."""
    crops = crop_faces(patch.image, patch.boxes[0][None], margin=margin, size=size)
    return np.asarray(crops[0], np.uint8)


def _paint(patch: FacePatch, rng: Generator) -> tuple[Image, int]:
    """The patch with masks and things painted on, where its landmarks allow it."""
    label = patch.face.label
    if patch.landmarks is None or not can_be_painted(patch.landmarks):
        return patch.image, label
    if label == NO_MASK and rng.random() < PAINT_CHANCE:
        number = rng.choice(len(PAINTED_SHARES), p=[share for *_, share in PAINTED_SHARES])
        worn, name, _ = PAINTED_SHARES[number]
        painted = paint_mask(patch.image, patch.landmarks, rng, worn=worn)
        label = JUDGED_VERDICTS.index(name)
        return add_occluders(painted, patch.landmarks, rng, bare=False), label
    return add_occluders(patch.image, patch.landmarks, rng, bare=label == NO_MASK), label


def _jitter(box: npt.NDArray[np.float32], rng: Generator) -> npt.NDArray[np.float32]:
    """Detectors differ by about this much in where and how large they see a face."""
    centre, sides = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
    centre = centre + rng.uniform(-0.08, 0.08, 2) * sides.max()
    half = sides / 2 * rng.uniform(0.85, 1.35)
    return np.concatenate([centre - half, centre + half]).astype(np.float32)


def _rotate(image: Image, box: npt.NDArray[np.float32], degrees: float) -> Image:
    x, y = (box[:2] + box[2:]) / 2
    turn = cv2.getRotationMatrix2D((float(x), float(y)), degrees, 1.0)
    turned = cv2.warpAffine(
        image, turn, (image.shape[1], image.shape[0]), borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(turned, np.uint8)
