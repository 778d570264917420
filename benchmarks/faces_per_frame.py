"""How many faces each detector finds on the concourse clip (result 3 of "First light").

python -m benchmarks.faces_per_frame [--out out]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from benchmarks.system import clip, machine, print_result
from contract.people.faces import Face
from contract.people.verdicts import VERDICTS
from face_detector.loading import load_detector
from models.crops import crop_faces
from models.loading import load_classifier
from runtime.settings import load_settings
from worker.drawing import annotate

Image = npt.NDArray[np.uint8]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out"))
    options = parser.parse_args()
    frames = list(read_frames(clip("concourse_1080p.mp4")))
    print(f"{len(frames)} frames of concourse_1080p.mp4, {machine()}")
    variants = [
        ("maskwatch", None, 640),
        ("yunet", None, 640),
        ("yunet", None, 960),
        ("ssd", 0.5, 300),
        ("ssd", 0.9, 300),
    ]
    figures = {}
    for name, threshold, width in variants:
        found, milliseconds = measure(name, threshold, width, frames)
        label = f"{name} at {width}" + (f", threshold {threshold}" if threshold else "")
        figures[label] = found
        print(f"{label:28} {found:5.2f} faces a frame, {milliseconds:6.1f} ms a frame")
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "concourse_annotated.jpg"
    path.write_bytes(annotated(frames[len(frames) // 2]))
    print(f"annotated frame: {path}")
    found = round(figures["maskwatch at 640"], 2)
    print_result("3", found, "faces/frame", ">= 6", found >= 6)


def read_frames(path: Path) -> Iterator[Image]:
    """Yield every frame of a video, `(H, W, 3)` uint8 BGR."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


def measure(
    name: str, threshold: float | None, width: int, frames: list[Image]
) -> tuple[float, float]:
    """Return mean faces a frame and mean milliseconds a frame."""
    detector = load_detector(
        name,
        models_dir=load_settings().where_models_are,
        input_width=width,
        score_threshold=threshold,
    )
    detector.detect(frames[:1])
    started = time.perf_counter()
    found = sum(len(detector.detect([frame])[0]) for frame in frames)
    return found / len(frames), (time.perf_counter() - started) * 1000 / len(frames)


def annotated(frame: Image) -> bytes:
    """Return the frame with what the shipped networks say of it, as a JPEG."""
    settings = load_settings()
    detector = load_detector(settings.detector, models_dir=settings.where_models_are)
    classifier = load_classifier("onnx")
    [detections] = detector.detect([frame])
    crops = crop_faces(
        frame, detections.boxes, margin=classifier.margin, size=classifier.input_size
    )
    probabilities = classifier.classify(crops)
    faces = []
    for number, (box, row) in enumerate(zip(detections.boxes, probabilities, strict=True)):
        x_min, y_min, x_max, y_max = map(float, box)
        best = int(row.argmax())
        faces.append(
            Face(
                (x_min, y_min, x_max, y_max),
                float(detections.scores[number]),
                VERDICTS[best],
                float(row[best]),
                number,
            )
        )
    return annotate(frame, faces)


if __name__ == "__main__":
    main()
