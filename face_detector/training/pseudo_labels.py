"""Faces that a published detector sees in the training photographs, larger and smaller.

YuNet may be used for this: its licence is MIT. It sees each photograph at several sizes, so
that it finds more than it would in serving.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from contract.errors import CheckpointError
from face_detector.anchors import suppress
from face_detector.detection import Detections
from face_detector.evaluation.inputs import padded_to, scaled_to
from face_detector.yunet import YuNetDetector
from models.coco import Photograph

logger = logging.getLogger(__name__)

SIDES_PX: Final = (448, 640, 1024)
LEAST_SCORE: Final = 0.1


def faces_seen(
    photographs: Sequence[Photograph], yunet: Path | None, cache: Path
) -> dict[str, Detections]:
    """YuNet's faces by file name, written to `cache` the first time; none without YuNet."""
    if yunet is None:
        return {}
    if cache.exists():
        return _read(cache)
    logger.info("looking for faces without a label in %s photographs", len(photographs))
    detectors = [
        YuNetDetector(yunet, input_width=side, score_threshold=LEAST_SCORE) for side in SIDES_PX
    ]
    seen = {p.file_name: _at_all_sizes(p, detectors) for p in photographs}
    _write(seen, cache)
    return seen


def _at_all_sizes(photograph: Photograph, detectors: Sequence[YuNetDetector]) -> Detections:
    """One photograph's faces at all sizes, each once."""
    image = photograph.read()
    found = []
    for detector, side in zip(detectors, SIDES_PX, strict=True):
        scaled, scale = scaled_to(image, side)
        [faces] = detector.detect([padded_to(scaled, side, scaled.shape[0])])
        landmarks = faces.landmarks if faces.landmarks is not None else np.zeros((0, 5, 2))
        found.append((faces.boxes / scale, faces.scores, landmarks / scale))
    boxes, scores, landmarks = (
        np.concatenate(parts).astype(np.float32) for parts in zip(*found, strict=True)
    )
    kept = suppress(boxes, scores, LEAST_SCORE)
    return Detections(boxes[kept], scores[kept], landmarks[kept])


def _write(seen: dict[str, Detections], cache: Path) -> None:
    records = {
        name: {
            "boxes": faces.boxes.round(2).tolist(),
            "scores": faces.scores.round(4).tolist(),
            "landmarks": np.asarray(faces.landmarks).round(2).tolist(),
        }
        for name, faces in seen.items()
    }
    cache.parent.mkdir(parents=True, exist_ok=True)
    part = cache.with_name(f"part-{cache.name}")
    part.write_text(json.dumps(records))
    part.replace(cache)


def _read(cache: Path) -> dict[str, Detections]:
    try:
        records: dict[str, dict[str, Any]] = json.loads(cache.read_text(encoding="utf-8"))
        return {
            name: Detections(
                np.array(record["boxes"], np.float32).reshape(-1, 4),
                np.array(record["scores"], np.float32),
                np.array(record["landmarks"], np.float32).reshape(-1, 5, 2),
            )
            for name, record in records.items()
        }
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{cache} is damaged ({error}); delete it and train again") from error
