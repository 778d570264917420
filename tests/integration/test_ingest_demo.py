"""The demo's drawn people in front of the real networks."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import cv2
import numpy as np

from contract.people.verdicts import JUDGED_VERDICTS
from ingest.demo.options import DemoOptions
from ingest.demo.scene import Scene
from ingest.demo.walkers import FaceTruth, faces_at
from models.crops import crop_faces
from models.loading import load_classifier

OPTIONS = DemoOptions(seed=7, people=3)
START_S = 1_795_000_000.0


def inside(truth: FaceTruth, x: float, y: float) -> bool:
    x0, y0, x1, y1 = truth.box
    return x0 < x < x1 and y0 < y < y1


def test_real_networks_find_the_demos_faces_and_judge_them_as_drawn(shared: Path) -> None:
    weights = shared / "weights" / "face_detection_yunet_2023mar.onnx"
    detector = cv2.FaceDetectorYN.create(str(weights), "", (640, 360), 0.6)
    classifier = load_classifier(threads=1)
    scene, found, judged = Scene(OPTIONS), Counter[bool](), Counter[bool]()
    for time_s in START_S + np.arange(0, 40, 0.8):
        picture = scene.render(time_s)
        _, rows = detector.detect(cv2.resize(picture, (640, 360)))
        boxes = [2 * row[:4] for row in (rows if rows is not None else [])]
        for truth in faces_at(OPTIONS, time_s):
            if truth.visible < 0.9 or truth.box[3] - truth.box[1] < 45:
                continue
            hits = [b for b in boxes if inside(truth, b[0] + b[2] / 2, b[1] + b[3] / 2)]
            found[bool(hits)] += 1
            for left, top, width, height in hits[:1]:
                box = np.array([[left, top, left + width, top + height]], np.float32)
                size, margin = classifier.input_size, classifier.margin
                crop = crop_faces(picture, box, size=size, margin=margin)
                best = int(classifier.classify(crop)[0].argmax())
                judged[JUDGED_VERDICTS[best] == truth.verdict] += 1
    assert found.total() > 50
    assert found[True] / found.total() > 0.9
    assert judged[True] / judged.total() > 0.9
