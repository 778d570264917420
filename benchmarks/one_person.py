"""Verdicts on the one-person clips (result 4 of "First light").

python -m benchmarks.one_person [--fps 8]

Each clip is a camera of the real system for two rounds of the clip; every committed frame's
faces are compared with what the person wears. Prints the shares with tracking and votes (what
operators see) and, straight from the networks, of single faces without them.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

from benchmarks.faces_per_frame import read_frames
from benchmarks.speed.watch import Watch
from benchmarks.system import clip, machine, print_result, running_system, wait_until
from face_detector.loading import load_detector
from models.crops import crop_faces
from models.loading import load_classifier
from runtime.settings import load_settings

TRUTH = {"one_person_mask.mp4": "mask", "one_person_no_mask.mp4": "no_mask"}
WATCH_S = 40.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fps", type=float, default=8.0)
    options = parser.parse_args()
    print(machine())
    for name, counts in live_counts(options.fps).items():
        share = counts[TRUTH[name]] / max(1, counts.total())
        print(f"{name:24} live: {share:6.1%} right of {counts.total()} faces  {dict(counts)}")
        print_result(f"4 {name}", round(share * 100, 1), "%", ">= 95", share >= 0.95)
    for name, truth in TRUTH.items():
        counts = single_face_counts(name)
        share = counts[truth] / max(1, counts.total())
        print(f"{name:24} single faces: {share:6.1%} of {counts.total()}  {dict(counts)}")


def live_counts(fps: float) -> dict[str, Counter[str]]:
    """Verdicts of all faces that the running system commits, by clip."""
    with running_system() as system:
        for camera in system.cameras():
            system.call("DELETE", f"/api/v1/cameras/{camera.id}")
        for name in TRUTH:
            body = {"name": name, "source": str(clip(name)), "analysis_fps": fps}
            system.call("POST", "/api/v1/cameras", body)
        cameras = system.cameras()
        watch = Watch(system, cameras)
        watch.start()
        wait_until(lambda: all(system.latest(c) for c in cameras), 30, "both clips", system)
        time.sleep(WATCH_S)
        watch.stop()
        return {
            camera.name: Counter(
                face.verdict for frame in watch.seen[camera.id].frames for face in frame.faces
            )
            for camera in cameras
        }


def single_face_counts(name: str) -> Counter[str]:
    """The classifier's most probable class for every face of every frame, by itself."""
    detector = load_detector(load_settings().detector, models_dir=load_settings().where_models_are)
    classifier = load_classifier("onnx")
    counts: Counter[str] = Counter()
    for frame in read_frames(clip(name)):
        [found] = detector.detect([frame])
        if len(found):
            crops = crop_faces(
                frame, found.boxes, margin=classifier.margin, size=classifier.input_size
            )
            best = classifier.classify(crops).argmax(axis=1)
            counts.update(classifier.labels[index] for index in best)
    return counts


if __name__ == "__main__":
    main()
