"""A generated set of cartoon faces, small enough to learn from in seconds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

CATEGORIES = ("mask", "no_mask", "incorrect")
FACE_PX = 60


def write_tiny_set(folder: Path, *, images: int, seed: int) -> Path:
    """Photographs of one to three cartoon faces each, in COCO, with two sources."""
    rng = np.random.default_rng(seed)
    (folder / "images").mkdir(parents=True)
    coco: dict[str, Any] = {
        "images": [],
        "annotations": [],
        "categories": [{"id": i + 1, "name": name} for i, name in enumerate(CATEGORIES)],
    }
    for number in range(images):
        picture, labelled = _photograph(rng)
        name = f"{number:03}.png"
        cv2.imwrite(str(folder / "images" / name), picture)
        size = {"width": picture.shape[1], "height": picture.shape[0]}
        source = {"source": "north" if number % 2 else "south"}
        coco["images"].append({"id": number, "file_name": name, **size, **source})
        coco["annotations"] += [
            {"image_id": number, "category_id": category + 1, "bbox": box}
            for category, box in labelled
        ]
    (folder / "annotations.json").write_text(json.dumps(coco))
    return folder


def _photograph(rng: np.random.Generator) -> tuple[npt.NDArray[np.uint8], list[Any]]:
    picture = rng.integers(60, 200, (120, 240, 3), np.uint8)
    picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 5), np.uint8)
    labelled = []
    for slot in range(int(rng.integers(1, 4))):
        left, top = slot * 78 + int(rng.integers(4, 12)), int(rng.integers(10, 45))
        category = int(rng.integers(3))
        _face(picture, left, top, CATEGORIES[category], rng)
        labelled.append((category, [left, top, FACE_PX, FACE_PX]))
    return picture, labelled


def _face(
    picture: npt.NDArray[np.uint8], left: int, top: int, worn: str, rng: np.random.Generator
) -> None:
    skin = [int(v) for v in np.array([120, 150, 200]) * rng.uniform(0.5, 1.1)]
    middle, half = (left + FACE_PX // 2, top + FACE_PX // 2), FACE_PX // 2
    cv2.ellipse(picture, middle, (half - 6, half), 0, 0, 360, skin, -1, cv2.LINE_AA)
    for side in (-11, 11):
        cv2.circle(picture, (middle[0] + side, middle[1] - 8), 4, (20, 20, 20), -1, cv2.LINE_AA)
    cv2.ellipse(picture, (middle[0], middle[1] + 16), (10, 4), 0, 0, 360, (40, 40, 130), -1)
    if worn != "no_mask":
        upper = middle[1] - 2 if worn == "mask" else middle[1] + 22
        cloth = [int(v) for v in rng.integers(200, 256, 3)]
        cv2.rectangle(picture, (left + 8, upper), (left + FACE_PX - 8, top + FACE_PX), cloth, -1)
