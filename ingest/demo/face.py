"""The one face of the demo, cut out of its photograph."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.encoding import Image

WIDTH: Final = 226
HEIGHT: Final = 196
FACE_BOX: Final = (68.0, 63.0, 158.0, 176.0)
"""`x_min, y_min, x_max, y_max` of the face, as YuNet finds it."""


@cache
def portrait() -> tuple[Image, NDArray[np.float32]]:
    """Return head and hair in BGR, and their opacity `(H, W)` from 0 to 1."""
    photograph = (files("ingest.demo") / "portrait.png").read_bytes()
    head = cast(Image, cv2.imdecode(np.frombuffer(photograph, np.uint8), cv2.IMREAD_COLOR))
    return head, _opacity(head)


def _opacity(head: Image) -> NDArray[np.float32]:
    """Separate head and hair from the studio's backdrop (GrabCut; Rother et al., 2004)."""
    guess: NDArray[np.uint8] = np.full(head.shape[:2], cv2.GC_BGD, np.uint8)
    cv2.ellipse(guess, (112, 96), (84, 96), 0, 0, 360, int(cv2.GC_PR_FGD), -1)
    cv2.ellipse(guess, (112, 112), (39, 68), 0, 0, 360, int(cv2.GC_FGD), -1)
    backdrop = [(20, 128), (67, 128), (68, 150), (80, 196), (0, 196)]
    cv2.fillPoly(guess, [np.array(backdrop)], int(cv2.GC_BGD))
    mirrored = [(210, 134), (158, 134), (156, 150), (146, 196), (226, 196)]
    cv2.fillPoly(guess, [np.array(mirrored)], int(cv2.GC_BGD))
    whole, back, front = (0, 0, WIDTH, HEIGHT), np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(1)  # GrabCut draws its first clusters at random
    cv2.grabCut(head, guess, whole, back, front, 4, cv2.GC_INIT_WITH_MASK)
    kept = ((guess == cv2.GC_FGD) | (guess == cv2.GC_PR_FGD)).astype(np.float32)
    kept = cast(NDArray[np.float32], cv2.erode(kept, np.ones((2, 2))))
    return cast(NDArray[np.float32], cv2.GaussianBlur(kept, (0, 0), 1.2))
