"""The worst mistakes as a picture, for the person who evaluates: it shows faces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from face_detector.evaluation.measure import Measured
from models.coco import Photograph
from models.crops import cut_square, square_around
from models.reporting.figures import contact_sheet

Image = npt.NDArray[np.uint8]
Mistake = tuple[Photograph, npt.NDArray[np.float32], str]

SHOWN: Final = 40
COLUMNS: Final = 10
TILE_PX: Final = 120
MARGIN: Final = 0.6


def worst_mistakes(measured: Measured) -> list[Mistake]:
    """The surest wrong detections, then the largest missed faces, up to `SHOWN` of each."""
    wrong, missed = [], []
    for one, found in zip(measured.judged, measured.detections, strict=True):
        for score, right, index in zip(one.scores, one.right, one.counted, strict=True):
            if not right:
                wrong.append((float(score), one.photograph, found.boxes[index]))
        faces = one.photograph.boxes[~one.photograph.crowds]
        for score, size, box in zip(one.found, one.sizes_px, faces, strict=True):
            if score < measured.contender.operating_score:
                missed.append((float(size), one.photograph, box))
    wrong.sort(key=lambda mistake: -mistake[0])
    missed.sort(key=lambda mistake: -mistake[0])
    return [(p, box, f"wrong {score:.2f}") for score, p, box in wrong[:SHOWN]] + [
        (p, box, f"missed {size:.0f} px") for size, p, box in missed[:SHOWN]
    ]


def mistakes_sheet(mistakes: Sequence[Mistake]) -> Image:
    """The mistakes side by side with what is around them, as a BGR image."""
    tiles = []
    for photograph, box, words in mistakes:
        square = square_around(box, MARGIN)
        tiles.append((cut_square(photograph.read(), *square), f"{photograph.source[:8]} {words}"))
    return contact_sheet(tiles, columns=COLUMNS, tile_px=TILE_PX)
