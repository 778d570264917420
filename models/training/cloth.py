"""Sheets of cloth to paint masks, scarves and hats with."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Generator = np.random.Generator
Sheet = npt.NDArray[np.float32]

SURGICAL_BGR: Final = (
    (225, 200, 150),
    (215, 175, 110),
    (200, 190, 120),
    (240, 240, 240),
    (228, 228, 232),
    (170, 200, 140),
    (205, 185, 235),
    (45, 42, 42),
)
"""Blues, turquoise, whites, green, pink, black."""


def surgical_colour(rng: Generator) -> Sheet:
    colour = np.array(SURGICAL_BGR[rng.integers(len(SURGICAL_BGR))], np.float32)
    return np.asarray(np.clip(colour + rng.normal(0, 10, 3), 8, 250), np.float32)


def any_colour(rng: Generator) -> Sheet:
    """Cloth of streets and stations: mostly black, grey, white; else any hue, seldom garish."""
    kind = rng.random()
    if kind < 0.35:
        return np.asarray(np.clip(rng.uniform(15, 60) + rng.normal(0, 5, 3), 5, 250), np.float32)
    if kind < 0.55:
        return np.asarray(np.clip(rng.uniform(90, 245) + rng.normal(0, 8, 3), 5, 250), np.float32)
    hsv = np.array([[[rng.integers(180), rng.integers(60, 220), rng.integers(50, 240)]]], np.uint8)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)[0, 0], np.float32)


def cloth_sheet(shape: tuple[int, int], rng: Generator, *, printed: bool) -> Sheet:
    """(h, w, 3) float32 BGR of one colour with its weave, or with a print on it."""
    sheet = np.empty((*shape, 3), np.float32)
    sheet[:] = any_colour(rng)
    if printed:
        prints = (_stripes, _checks, _dots, _blotches, _emblem)
        prints[rng.integers(len(prints))](sheet, any_colour(rng), rng)
    return weave(sheet, rng)


def weave(sheet: Sheet, rng: Generator) -> Sheet:
    """Add what keeps cloth from being flat: folds of light, and threads."""
    height, width = sheet.shape[:2]
    folds = rng.normal(1, 0.09, (3, 4)).astype(np.float32)
    sheet = sheet * cv2.resize(folds, (width, height), interpolation=cv2.INTER_CUBIC)[..., None]
    return np.asarray(sheet + rng.normal(0, 3, (height, width, 1)), np.float32)


def _grid(sheet: Sheet, rng: Generator) -> tuple[Sheet, Sheet]:
    """Two coordinates at a random angle, counted in periods of the print."""
    height, width = sheet.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    angle, period = rng.uniform(0, np.pi), max(3.0, max(height, width) * rng.uniform(0.06, 0.25))
    cosine, sine = np.float32(np.cos(angle) / period), np.float32(np.sin(angle) / period)
    return np.asarray(x * cosine + y * sine), np.asarray(y * cosine - x * sine)


def _stripes(sheet: Sheet, colour: Sheet, rng: Generator) -> None:
    across, _ = _grid(sheet, rng)
    sheet[(across % 1) < rng.uniform(0.2, 0.6)] = colour


def _checks(sheet: Sheet, colour: Sheet, rng: Generator) -> None:
    across, along = _grid(sheet, rng)
    sheet[(across % 1) < 0.5] = sheet[(across % 1) < 0.5] * 0.6 + colour * 0.4
    sheet[(along % 1) < 0.5] = sheet[(along % 1) < 0.5] * 0.6 + colour * 0.4


def _dots(sheet: Sheet, colour: Sheet, rng: Generator) -> None:
    across, along = _grid(sheet, rng)
    radius = rng.uniform(0.15, 0.38)
    sheet[(across % 1 - 0.5) ** 2 + (along % 1 - 0.5) ** 2 < radius**2] = colour


def _blotches(sheet: Sheet, colour: Sheet, rng: Generator) -> None:
    height, width = sheet.shape[:2]
    cells = int(rng.integers(4, 11))
    for other in (colour, any_colour(rng)):
        noise = rng.normal(0, 1, (cells, cells)).astype(np.float32)
        field = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
        sheet[field > rng.uniform(0.2, 0.9)] = other


def _emblem(sheet: Sheet, colour: Sheet, rng: Generator) -> None:
    """A logo, a grin, a moustache: one shape somewhere near the middle."""
    height, width = sheet.shape[:2]
    centre = (round(width * rng.uniform(0.25, 0.75)), round(height * rng.uniform(0.3, 0.6)))
    axes = (max(2, round(width * rng.uniform(0.08, 0.28))), max(2, round(height * 0.12)))
    bgr = tuple(float(value) for value in colour)
    thickness = -1 if rng.random() < 0.5 else max(1, height // 20)
    cv2.ellipse(sheet, centre, axes, rng.uniform(-15, 15), 0, 180, bgr, thickness, cv2.LINE_AA)
