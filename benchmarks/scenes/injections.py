"""What happens to cameras: their pictures blacked out, covered, frozen, turned away, blurred."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from contract.cameras.quality import Problem

Image = npt.NDArray[np.uint8]
Change = Callable[[Image, float], Image]
"""Takes a frame and the seconds since the injection began; returns the frame as it is then."""


@dataclass(frozen=True)
class Injection:
    """One thing that happens to a camera."""

    name: str
    expected: frozenset[Problem]
    """Any of these is right."""
    change: Change


def _black(image: Image, _: float) -> Image:
    return np.zeros_like(image)


def _night(image: Image, seconds: float) -> Image:
    """The lights go out: a sixteenth of the light, and the noise of a camera that turns up."""
    noise = np.random.default_rng(round(seconds * 1000)).normal(0, 3, image.shape[:2])
    return _clipped(image / 24.0 + noise[..., None])


def _covered(level: float) -> Change:
    """A bag or a hand before the lens: light shines through, brighter to one side."""

    def change(image: Image, seconds: float) -> Image:
        noise = np.random.default_rng(round(seconds * 1000)).normal(0, 2, image.shape[:2])
        shade = np.linspace(0.7, 1.3, image.shape[1])[None, :]
        return _clipped((level * shade + noise)[..., None].repeat(3, axis=2))

    return change


class _Frozen:
    """The picture of the first moment, for good; a clock in its corner may go on."""

    def __init__(self, clock: bool) -> None:
        self._clock = clock
        self._first: Image | None = None

    def __call__(self, image: Image, seconds: float) -> Image:
        if self._first is None or seconds == 0:
            self._first = image.copy()
        shown = self._first.copy()
        if self._clock:
            size = image.shape[1] / 1600
            place = (round(0.03 * image.shape[1]), round(0.06 * image.shape[0]))
            words = f"2026-11-24 10:42:{int(seconds) % 60:02d}"
            cv2.putText(shown, words, place, cv2.FONT_HERSHEY_SIMPLEX, size, (255, 255, 255), 1)
        return shown


def _turned(
    across: float = 0.0, down: float = 0.0, degrees: float = 0.0, zoom: float = 1.0
) -> Change:
    """Another view: shifted by shares of the width and the height, rotated, zoomed."""

    def change(image: Image, _: float) -> Image:
        height, width = image.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, zoom)
        matrix[:, 2] += (across * width, down * height)
        turned = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)
        return np.asarray(turned, np.uint8)

    return change


def _blurred(px_in_640: float) -> Change:
    def change(image: Image, _: float) -> Image:
        sigma = px_in_640 * image.shape[1] / 640
        return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)

    return change


def _clipped(values: npt.NDArray[np.float64]) -> Image:
    return np.clip(values, 0, 255).astype(np.uint8)


DARK: Final[frozenset[Problem]] = frozenset({"black", "covered"})


def injections(moved: bool) -> list[Injection]:
    """All of them; a camera that is always on the move cannot be moved away from its view."""
    turned = [
        Injection("moved 3 % right", frozenset({"moved"}), _turned(across=0.03)),
        Injection("moved 5 % right", frozenset({"moved"}), _turned(across=0.05)),
        Injection("moved 4 % down", frozenset({"moved"}), _turned(down=0.04)),
        Injection("moved 10 % right", frozenset({"moved"}), _turned(across=0.1)),
        Injection("moved 30 % right", frozenset({"moved"}), _turned(across=0.3)),
        Injection("rotated by 15 degrees", frozenset({"moved"}), _turned(degrees=15)),
        Injection("zoomed by 1.5", frozenset({"moved"}), _turned(zoom=1.5)),
    ]
    return [
        Injection("black", DARK, _black),
        Injection("lights out", DARK, _night),
        Injection("covered, dim", DARK, _covered(30)),
        Injection("covered, bright", frozenset({"covered"}), _covered(150)),
        Injection("frozen", frozenset({"frozen"}), _Frozen(clock=False)),
        Injection("frozen, clock going", frozenset({"frozen"}), _Frozen(clock=True)),
        *(turned if moved else []),
        Injection("blurred by 2 px in 640", frozenset({"blurred"}), _blurred(2)),
        Injection("blurred by 3 px in 640", frozenset({"blurred"}), _blurred(3)),
        Injection("blurred by 6 px in 640", frozenset({"blurred", "covered"}), _blurred(6)),
        Injection("blurred by 12 px in 640", frozenset({"blurred", "covered"}), _blurred(12)),
    ]
