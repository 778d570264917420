"""Detections as a COCO results file, so that others can score them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from face_detector.detection import Detections
from models.coco import Photograph

Verdicts = list[int | None]
"""A COCO category id for each detection, None where no verdict was given."""


def write_predictions(
    path: Path, found: Iterable[tuple[Photograph, Detections, Verdicts | None]]
) -> int:
    """Write `image_id`, `bbox` (x, y, width, height), `score`, and `category_id` if there is one.

    Returns the number of detections written.
    """
    records: list[dict[str, Any]] = []
    for photograph, detections, verdicts in found:
        for i, box in enumerate(detections.boxes.tolist()):
            x_min, y_min, x_max, y_max = box
            record = {
                "image_id": photograph.id,
                "bbox": [round(v, 2) for v in (x_min, y_min, x_max - x_min, y_max - y_min)],
                "score": round(float(detections.scores[i]), 4),
            }
            if verdicts is not None and verdicts[i] is not None:
                record["category_id"] = verdicts[i]
            records.append(record)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(records), encoding="utf-8")
    return len(records)
