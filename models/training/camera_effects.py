"""Effects of a distant, cheap or badly lit camera on a face."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from models.crops import crop_faces

Generator = np.random.Generator
Image = npt.NDArray[np.uint8]

SMALL_CHANCE: Final = 0.55
SMALLEST_CROP_PX: Final = 14
FEWEST_PIXELS: Final = (4, 7)
"""Sides of a crop of which nothing can be told: its face is a quarter smaller still."""


def crop_as_seen(
    image: Image, box: npt.NDArray[np.float32], rng: Generator, *, margin: float, size: int
) -> Image:
    """Crop as if the face were smaller in the frame, blurred, and badly compressed."""
    pixels = size
    if rng.random() < SMALL_CHANCE:
        pixels = int(np.exp(rng.uniform(np.log(SMALLEST_CROP_PX), np.log(size))))
    crop = crop_faces(image, box[None], margin=margin, size=pixels)[0]
    if rng.random() < 0.25:
        crop = np.asarray(cv2.GaussianBlur(crop, (0, 0), rng.uniform(0.3, 0.02 * pixels + 0.4)))
    if rng.random() < 0.15:
        crop = _smear(crop, rng)
    if rng.random() < 0.4:
        quality = int(rng.integers(25, 90))
        _, encoded = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, quality])
        crop = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR))
    if pixels < size:
        crop = np.asarray(cv2.resize(crop, (size, size), interpolation=cv2.INTER_LINEAR))
    return np.asarray(crop, np.uint8)


def blur_beyond_telling(
    image: Image, box: npt.NDArray[np.float32], rng: Generator, *, margin: float, size: int
) -> Image:
    """Crop with so few pixels, or so blurred, that nobody could say whether there is a mask."""
    pixels = int(rng.integers(*FEWEST_PIXELS, endpoint=True))
    if rng.random() < 0.6:
        few = crop_faces(image, box[None], margin=margin, size=pixels)[0]
        return np.asarray(cv2.resize(few, (size, size), interpolation=cv2.INTER_LINEAR), np.uint8)
    crop = crop_faces(image, box[None], margin=margin, size=size)[0]
    blurred = cv2.GaussianBlur(crop, (0, 0), size / pixels * rng.uniform(0.6, 0.9))
    return np.asarray(blurred, np.uint8)


def relight(crop: Image, rng: Generator) -> Image:
    """Another exposure, contrast, white balance and noise; sometimes night, glare or grey."""
    values = crop.astype(np.float32)
    if rng.random() < 0.08:
        values[:] = values.mean(axis=2, keepdims=True)
    middle = values.mean()
    values = (values - middle) * rng.uniform(0.6, 1.35) + middle
    values *= rng.uniform(0.6, 1.4) * rng.uniform(0.9, 1.1, 3).astype(np.float32)
    if rng.random() < 0.2:
        values *= _light_from_a_side(crop.shape[0], rng)
    if rng.random() < 0.08:
        values = values * rng.uniform(0.2, 0.5) + rng.uniform(0, 20)
    if rng.random() < 0.2:
        values += rng.normal(0, rng.uniform(2, 11), values.shape)
    return np.asarray(np.clip(values, 0, 255), np.uint8)


def _smear(crop: Image, rng: Generator) -> Image:
    """Motion blur along a random direction."""
    length = int(max(3, crop.shape[0] * rng.uniform(0.04, 0.14)))
    kernel = np.zeros((length, length), np.float32)
    middle, angle = (length - 1) / 2, rng.uniform(0, np.pi)
    reach = np.array([np.cos(angle), np.sin(angle)]) * middle
    start, end = (tuple(np.rint(middle + sign * reach).astype(int).tolist()) for sign in (-1, 1))
    cv2.line(kernel, start, end, 1.0)
    return np.asarray(cv2.filter2D(crop, -1, kernel / kernel.sum()), np.uint8)


def _light_from_a_side(size: int, rng: Generator) -> npt.NDArray[np.float32]:
    corners = rng.uniform(0.55, 1.35, (2, 2)).astype(np.float32)
    light = cv2.resize(corners, (size, size), interpolation=cv2.INTER_LINEAR)
    return np.asarray(light, np.float32)[..., None]
