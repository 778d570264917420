"""From a face's patch to one training sample that looks like a camera's face crop."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from contract.people.verdicts import VERDICTS
from models.crops import crop_faces
from models.labelled_faces import FacePatch
from models.training.camera_effects import blur_beyond_telling, crop_as_seen, relight
from models.training.face_frame import can_be_painted
from models.training.occluders import add_occluders
from models.training.painted_masks import Worn, paint_mask
from models.training.unclear_faces import paint_unclear, slip_off

Generator = np.random.Generator
Image = npt.NDArray[np.uint8]

NO_MASK: Final = VERDICTS.index("no_mask")
UNKNOWN: Final = VERDICTS.index("unknown")
PAINT_CHANCE: Final = 0.3
PAINTED_SHARES: Final[tuple[tuple[Worn, str, float], ...]] = (
    ("proper", "mask", 0.42),
    ("under_nose", "incorrect", 0.26),
    ("under_mouth", "incorrect", 0.1),
    ("under_chin", "incorrect", 0.16),
    ("over_eyes", "incorrect", 0.06),
)
"""How a painted mask is worn, the label that gives, and how often."""


UNCLEAR_SHARES: Final = (("painted", 0.68), ("slipped", 0.12), ("blurred", 0.2))
"""How a face that can be judged is made one that cannot, and how often."""
SQUEEZED_MOST: Final = 1.8
"""Pictures of unknown width by height that were squeezed into a square were at most this wide."""


def augment(
    patch: FacePatch,
    rng: Generator,
    *,
    margin: float,
    size: int,
    elsewhere: Image | None = None,
) -> tuple[Image, int]:
    """One random view of a face: (size, size, 3) uint8 BGR, and its label, of `VERDICTS`.

    The label differs from the patch's where a mask was painted on a bare face. With another
    picture `elsewhere`, the face itself is made one that cannot be judged: `unknown`.
    """
    box = _jitter(patch.boxes[rng.integers(len(patch.boxes))], rng)
    blurs = False
    if elsewhere is None or patch.face.label == UNKNOWN:
        image, label = _paint(patch, rng)
    else:
        image, label = patch.image, UNKNOWN
        number = rng.choice(len(UNCLEAR_SHARES), p=[share for _, share in UNCLEAR_SHARES])
        how, _ = UNCLEAR_SHARES[number]
        if how == "painted":
            bare = patch.face.label == NO_MASK
            image = paint_unclear(
                image, patch.boxes[0], patch.landmarks, rng, elsewhere=elsewhere, bare=bare
            )
        elif how == "slipped":
            box = slip_off(box, rng)
        blurs = how == "blurred"
    if rng.random() < 0.35:
        image = _rotate(image, box, rng.uniform(-18, 18))
    image, box = _stretch(image, box, "squeezed" in patch.face.flags, rng)
    if blurs:
        crop = blur_beyond_telling(image, box, rng, margin=margin, size=size)
    else:
        crop = crop_as_seen(image, box, rng, margin=margin, size=size)
    crop = relight(crop, rng)
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
    if label == UNKNOWN or patch.landmarks is None or not can_be_painted(patch.landmarks):
        return patch.image, label
    if label == NO_MASK and rng.random() < PAINT_CHANCE:
        number = rng.choice(len(PAINTED_SHARES), p=[share for *_, share in PAINTED_SHARES])
        worn, name, _ = PAINTED_SHARES[number]
        painted = paint_mask(patch.image, patch.landmarks, rng, worn=worn)
        label = VERDICTS.index(name)
        return add_occluders(painted, patch.landmarks, rng, bare=False), label
    return add_occluders(patch.image, patch.landmarks, rng, bare=label == NO_MASK), label


def _jitter(box: npt.NDArray[np.float32], rng: Generator) -> npt.NDArray[np.float32]:
    """Detectors differ by about this much in where and how large they see a face."""
    centre, sides = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
    centre = centre + rng.uniform(-0.08, 0.08, 2) * sides.max()
    half = sides / 2 * rng.uniform(0.85, 1.35)
    return np.concatenate([centre - half, centre + half]).astype(np.float32)


def _stretch(
    image: Image, box: npt.NDArray[np.float32], squeezed: bool, rng: Generator
) -> tuple[Image, npt.NDArray[np.float32]]:
    """Another width by height: a little of it for every camera, more for squeezed pictures."""
    wider = rng.uniform(1.0, SQUEEZED_MOST) if squeezed else rng.uniform(0.9, 1.12)
    stretched = cv2.resize(image, None, fx=wider, fy=1.0, interpolation=cv2.INTER_LINEAR)
    factors = np.array([wider, 1, wider, 1], np.float32)
    return np.asarray(stretched, np.uint8), np.asarray(box * factors, np.float32)


def _rotate(image: Image, box: npt.NDArray[np.float32], degrees: float) -> Image:
    x, y = (box[:2] + box[2:]) / 2
    turn = cv2.getRotationMatrix2D((float(x), float(y)), degrees, 1.0)
    turned = cv2.warpAffine(
        image, turn, (image.shape[1], image.shape[0]), borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(turned, np.uint8)
