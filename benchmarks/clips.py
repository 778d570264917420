"""What the shipped detector and classifier say, face by face, about the real clips.

python -m benchmarks.clips

The clip table of the model card. Needs `../shared`. Faces are judged one by one, before any
tracking or voting, so a person who is in view for long weighs more: shares of faces, not of
people.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.faces_per_frame import read_frames
from benchmarks.system import clip
from face_detector.detection import FaceDetector
from face_detector.loading import load_detector
from models.crops import crop_faces
from models.loading import load_classifier
from models.mask_classifier import MaskClassifier
from runtime.settings import load_settings

CLIPS = (
    "one_person_mask",
    "one_person_no_mask",
    "concourse_1080p",
    "walkers_360p",
    "corridor_270p",
)
CERTAIN = 0.7

Probabilities = npt.NDArray[np.float32]


def judge(
    path: Path, detector: FaceDetector, classifier: MaskClassifier, every: int
) -> tuple[int, Probabilities]:
    """Frames looked at, and (N, 4) probabilities of all their faces."""
    found: list[Probabilities] = [np.zeros((0, 4), np.float32)]
    frames = list(read_frames(path))[::every]
    for frame in frames:
        boxes = detector.detect([frame])[0].boxes
        crops = crop_faces(frame, boxes, margin=classifier.margin, size=classifier.input_size)
        found.append(classifier.classify(crops))
    return len(frames), np.concatenate(found)


def row(title: str, frames: int, probabilities: Probabilities, labels: tuple[str, ...]) -> str:
    """One line of the table."""
    verdicts = probabilities.argmax(axis=1)
    certain = probabilities.max(axis=1) >= CERTAIN
    shares = [
        f"{(verdicts == i).mean():.1%} ({(verdicts[certain] == i).mean():.1%})"
        for i in range(len(labels))
    ]
    cells = [title, f"{len(verdicts) / frames:.2f}", *shares, f"{certain.mean():.1%}"]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=3, help="look at each n-th frame")
    parser.add_argument("--width", type=int, default=640, help="the detector's input width")
    parser.add_argument("--classifier", type=Path, help="unset: the one that ships")
    options = parser.parse_args()
    detector = load_detector(load_settings().detector, input_width=options.width, threads=1)
    classifier = load_classifier("onnx", path=options.classifier, threads=1)
    header = ["clip", "faces a frame", *classifier.labels, "certain"]
    print(f"Shares of faces (of those judged with at least {CERTAIN})\n")
    print(f"| {' | '.join(header)} |\n{'| --- ' * len(header)}|")
    for name in CLIPS:
        frames, found = judge(clip(f"{name}.mp4"), detector, classifier, options.every)
        print(row(name, frames, found, classifier.labels), flush=True)


if __name__ == "__main__":
    main()
