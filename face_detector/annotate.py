"""Write a detector's faces for a folder of photographs, for the classifier's training.

    python -m face_detector.annotate --images ../shared/data/train/images --out boxes.json

The classifier is trained on the boxes it will be served, not on boxes that people drew; but
`models` may not import a detector, so the boxes travel in this file:
`{"detector": name, "images": {file_name: [{"box": [x_min, y_min, x_max, y_max], "score": s,
"landmarks": [[x, y] * 5] or null}]}}`, in pixels of the image read without EXIF rotation.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from face_detector.detection import Detections, FaceDetector
from face_detector.loading import DETECTORS, load_detector

READ_FLAGS: Final = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION


def annotate(detector: FaceDetector, images: Path) -> dict[str, list[dict[str, Any]]]:
    """Faces of every JPEG or PNG in a folder, by file name."""
    found = {}
    for path in sorted([*images.glob("*.jpg"), *images.glob("*.png")]):
        image = cv2.imread(str(path), READ_FLAGS)
        if image is not None:
            found[path.name] = _as_records(detector.detect([np.asarray(image, np.uint8)])[0])
    return found


def _as_records(faces: Detections) -> list[dict[str, Any]]:
    return [
        {
            "box": [round(float(value), 2) for value in faces.boxes[i]],
            "score": round(float(faces.scores[i]), 4),
            "landmarks": None if faces.landmarks is None else faces.landmarks[i].round(2).tolist(),
        }
        for i in range(len(faces))
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Write a detector's faces as JSON.")
    parser.add_argument("--images", type=Path, required=True, help="folder of JPEG or PNG files")
    parser.add_argument("--out", type=Path, required=True, help="the JSON file to write")
    parser.add_argument("--detector", choices=DETECTORS, default="yunet")
    parser.add_argument("--input-width", type=int, default=640)
    parser.add_argument("--models-dir", type=Path, default=None)
    options = parser.parse_args(arguments)
    detector = load_detector(
        options.detector,
        models_dir=options.models_dir,
        input_width=options.input_width,
        score_threshold=None,
        device="auto",
        threads=0,
    )
    images = annotate(detector, options.images)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({"detector": detector.name, "images": images}))
    sys.stdout.write(
        f"{sum(map(len, images.values()))} faces in {len(images)} images -> {options.out}\n"
    )


if __name__ == "__main__":
    main()
