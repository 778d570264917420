"""Sets of drawn faces: no photograph of anyone, quick to make, quick to learn."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np


def write_drawn_faces(folder: Path, images: int, *, side_px: int = 128, seed: int = 1) -> Path:
    """Write a COCO folder of squares with one to three drawn faces each, and return it."""
    rng = np.random.default_rng(seed)
    (folder / "images").mkdir(parents=True)
    entries, annotations = [], []
    for number in range(images):
        canvas = cv2.resize(rng.integers(40, 130, (8, 8, 3), np.uint8), (side_px, side_px))
        boxes: list[list[int]] = []
        for _ in range(int(rng.integers(1, 4))):
            width = int(rng.integers(18, 42))
            x, y = (int(v) for v in rng.integers(0, side_px - 52, 2))
            box = [x, y, width, int(width * 1.2)]
            if all(abs(x - b[0]) > 45 or abs(y - b[1]) > 55 for b in boxes):
                _draw_face(canvas, box)
                boxes.append(box)
        cv2.imwrite(str(folder / "images" / f"{number}.png"), canvas)
        size = {"width": side_px, "height": side_px}
        entries.append({"id": number, "file_name": f"{number}.png", "source": "drawn", **size})
        annotations += [
            {"id": len(annotations) + i, "image_id": number, "category_id": 1, "bbox": box}
            for i, box in enumerate(boxes)
        ]
    categories = [{"id": 1, "name": "no_mask"}]
    coco = {"images": entries, "annotations": annotations, "categories": categories}
    (folder / "annotations.json").write_text(json.dumps(coco))
    return folder


def _draw_face(canvas: np.ndarray, box: list[int]) -> None:
    x, y, width, height = box
    centre = (x + width // 2, y + height // 2)
    cv2.ellipse(canvas, centre, (width // 2, height // 2), 0, 0, 360, (150, 190, 235), -1)
    for side in (-1, 1):
        eye = (centre[0] + side * width // 5, y + height * 2 // 5)
        cv2.circle(canvas, eye, max(1, width // 12), (30, 30, 40), -1)
    mouth = (centre[0], y + height * 3 // 4)
    cv2.ellipse(canvas, mouth, (width // 5, height // 16), 0, 0, 360, (60, 60, 180), -1)
