"""From a face's patch to one training sample that looks like a camera's face crop."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from contract.verdicts import JUDGED_VERDICTS
from models.crops import crop_faces
from models.training.dataset import FacePatch
from models.training.synthetic_masks import can_be_painted, paint_mask

Generator = np.random.Generator
Image = npt.NDArray[np.uint8]

MASK: Final = JUDGED_VERDICTS.index("mask")
INCORRECT: Final = JUDGED_VERDICTS.index("incorrect")
NO_MASK: Final = JUDGED_VERDICTS.index("no_mask")

PAINT_CHANCE: Final = 0.15
SMALL_CHANCE: Final = 0.5
SMALLEST_CROP_PX: Final = 14


def augment(patch: FacePatch, rng: Generator, *, margin: float, size: int) -> tuple[Image, int]:
    """One random view of a face: (size, size, 3) uint8 BGR, and its label.

    The label differs from the patch's where a mask was painted on a bare face.
    """
    image, label = _paint(patch, rng)
    box = _jitter(patch.boxes[rng.integers(len(patch.boxes))], rng)
    if rng.random() < 0.3:
        image = _rotate(image, box, rng.uniform(-14, 14))
    crop = _degrade(image, box, rng, margin=margin, size=size)
    crop = _recolour(crop, rng)
    if rng.random() < 0.1:
        _cut_out(crop, rng)
    if rng.random() < 0.5:
        crop = np.asarray(cv2.flip(crop, 1), np.uint8)
    return crop, label


def plain(patch: FacePatch, *, margin: float, size: int) -> Image:
    """The view that serving has: the detector's box if there is one, nothing random."""
    crops = crop_faces(patch.image, patch.boxes[0][None], margin=margin, size=size)
    return np.asarray(crops[0], np.uint8)


def _paint(patch: FacePatch, rng: Generator) -> tuple[Image, int]:
    label = patch.face.label
    paintable = label == NO_MASK and can_be_painted(patch.landmarks)
    if not paintable or rng.random() >= PAINT_CHANCE or patch.landmarks is None:
        return patch.image, label
    over_nose = rng.random() < 0.4
    painted = paint_mask(patch.image, patch.landmarks, rng, over_nose=over_nose)
    return painted, MASK if over_nose else INCORRECT


def _jitter(box: npt.NDArray[np.float32], rng: Generator) -> npt.NDArray[np.float32]:
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


def _degrade(
    image: Image, box: npt.NDArray[np.float32], rng: Generator, *, margin: float, size: int
) -> Image:
    """Crop as if the face were smaller in the frame, blurred, and badly compressed."""
    pixels = size
    if rng.random() < SMALL_CHANCE:
        pixels = int(np.exp(rng.uniform(np.log(SMALLEST_CROP_PX), np.log(size))))
    crop = crop_faces(image, box[None], margin=margin, size=pixels)[0]
    if rng.random() < 0.25:
        crop = np.asarray(cv2.GaussianBlur(crop, (0, 0), rng.uniform(0.3, 0.02 * pixels + 0.4)))
    if rng.random() < 0.4:
        quality = int(rng.integers(25, 90))
        _, encoded = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, quality])
        crop = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR))
    if pixels < size:
        crop = np.asarray(cv2.resize(crop, (size, size), interpolation=cv2.INTER_LINEAR))
    return np.asarray(crop, np.uint8)


def _recolour(crop: Image, rng: Generator) -> Image:
    values = crop.astype(np.float32)
    if rng.random() < 0.08:
        values[:] = values.mean(axis=2, keepdims=True)
    middle = values.mean()
    values = (values - middle) * rng.uniform(0.65, 1.35) + middle
    values *= rng.uniform(0.55, 1.4) * rng.uniform(0.9, 1.1, 3).astype(np.float32)
    if rng.random() < 0.15:
        values += rng.normal(0, rng.uniform(2, 10), values.shape).astype(np.float32)
    return np.asarray(np.clip(values, 0, 255), np.uint8)


def _cut_out(crop: Image, rng: Generator) -> None:
    """Grey out a small rectangle, in place: a hand, a shoulder, a pole."""
    height, width = (
        int(value) for value in rng.integers(crop.shape[0] // 10, crop.shape[0] // 4, 2)
    )
    top, left = rng.integers(crop.shape[0] - height), rng.integers(crop.shape[1] - width)
    crop[top : top + height, left : left + width] = rng.integers(0, 256, 3)
