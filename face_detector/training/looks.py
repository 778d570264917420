"""Other light, other cameras: changes of an image's pixels that leave every face in place."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Generator = np.random.Generator

RELIT_SHARE: Final = 0.7
GREY_SHARE: Final = 0.08
BLURRED_SHARE: Final = 0.15
COMPRESSED_SHARE: Final = 0.25
NOISY_SHARE: Final = 0.1


def change_looks(image: Image, rng: Generator) -> Image:
    """A changed copy of a BGR image."""
    if rng.random() < RELIT_SHARE:
        image = relit(image, rng)
    if rng.random() < GREY_SHARE:
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        image = np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)
    if rng.random() < BLURRED_SHARE:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.4)), np.uint8)
    if rng.random() < NOISY_SHARE:
        noise = rng.normal(0, rng.uniform(2, 10), image.shape).astype(np.float32)
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    if rng.random() < COMPRESSED_SHARE:
        image = compressed(image, int(rng.integers(25, 85)))
    return image


def relit(image: Image, rng: Generator) -> Image:
    """Another exposure, contrast and colour of light, by one table a channel."""
    levels = np.linspace(0, 1, 256, dtype=np.float32)
    exposed = levels ** np.exp(rng.uniform(-0.45, 0.45))
    contrasted = (exposed - 0.5) * rng.uniform(0.65, 1.25) + 0.5 + rng.uniform(-0.12, 0.12)
    tints = np.exp(rng.uniform(-0.12, 0.12, 3))
    table = np.clip(contrasted[:, None] * tints * 255, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(image, table[None]), np.uint8)


def compressed(image: Image, quality: int) -> Image:
    """The image after JPEG at a quality of 0 to 100."""
    encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)
