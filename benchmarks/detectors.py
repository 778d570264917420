"""Detectors on a real concourse: faces found a frame, and milliseconds a frame.

python -m benchmarks.detectors [--threads 1]

The figures of ADR 0003. Needs `../shared`. The network's time includes scaling the
1080p frame and decoding its answer.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.faces_per_frame import read_frames
from benchmarks.system import SHARED, clip, machine
from face_detector.detection import Detections, FaceDetector
from face_detector.ssd import SsdDetector
from face_detector.yunet import YuNetDetector

Frame = npt.NDArray[np.uint8]
WEIGHTS = SHARED / "weights"
YUNET = WEIGHTS / "face_detection_yunet_2023mar.onnx"


def measure(detector: FaceDetector, frames: list[Frame], batch: int) -> tuple[float, float, float]:
    """Faces a frame, then median and least milliseconds a frame."""
    detector.detect(frames[:batch])
    times, found = [], 0
    starts = range(0, len(frames) - batch + 1, batch)
    for start in starts:
        began = time.perf_counter()
        detections = detector.detect(frames[start : start + batch])
        times.append((time.perf_counter() - began) / batch * 1e3)
        found += sum(map(len, detections))
    return found / (len(starts) * batch), float(np.median(times)), min(times)


class OpenCvYuNet:
    """YuNet through OpenCV's own wrapper, to compare with."""

    name = "opencv-yunet"
    device = "cpu"
    sure_score = 0.6

    def __init__(self, width: int, height: int) -> None:
        self._size = (width, height)
        self._network = cv2.FaceDetectorYN.create(
            str(YUNET), "", self._size, self.sure_score, 0.3, 5000
        )

    def detect(self, frames: Sequence[Frame], width_px: int | None = None) -> list[Detections]:
        return [self._one(frame) for frame in frames]

    def _one(self, frame: Frame) -> Detections:
        rows = self._network.detect(cv2.resize(frame, self._size))[1]
        rows = np.zeros((0, 15), np.float32) if rows is None else np.asarray(rows, np.float32)
        boxes = np.hstack([rows[:, :2], rows[:, :2] + rows[:, 2:4]]).astype(np.float32)
        return Detections(boxes, rows[:, -1].astype(np.float32))


def contenders(threads: int) -> dict[str, tuple[Callable[[], FaceDetector], int]]:
    """Detectors by title, with the batch each is measured at."""
    caffe = (WEIGHTS / "res10_reconstructed.caffemodel", WEIGHTS / "res10_deploy.prototxt")
    tf = (
        WEIGHTS / "res10_opencv_face_detector_uint8.pb",
        WEIGHTS / "res10_opencv_face_detector.pbtxt",
    )

    def yunet(width: int, threshold: float = 0.6) -> Callable[[], FaceDetector]:
        return lambda: YuNetDetector(
            YUNET, input_width=width, score_threshold=threshold, threads=threads
        )

    return {
        "YuNet 640": (yunet(640), 1),
        "YuNet 640, batch of 8": (yunet(640), 8),
        "YuNet 640, threshold 0.5": (yunet(640, 0.5), 1),
        "YuNet 640, threshold 0.8": (yunet(640, 0.8), 1),
        "YuNet 960": (yunet(960), 1),
        "YuNet 1280": (yunet(1280), 1),
        "YuNet 640 in cv2.FaceDetectorYN": (lambda: OpenCvYuNet(640, 360), 1),
        "res10 Caffe, threshold 0.5": (lambda: SsdDetector(*caffe), 1),
        "res10 Caffe, threshold 0.5, batch of 8": (lambda: SsdDetector(*caffe), 8),
        "res10 Caffe, threshold 0.9": (lambda: SsdDetector(*caffe, score_threshold=0.9), 1),
        "res10 TensorFlow, threshold 0.5": (lambda: SsdDetector(*tf), 1),
        "res10 TensorFlow, threshold 0.9": (lambda: SsdDetector(*tf, score_threshold=0.9), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--every", type=int, default=2)
    options = parser.parse_args()
    cv2.setNumThreads(options.threads)
    frames = list(read_frames(clip("concourse_1080p.mp4")))[:: options.every]
    print(f"{len(frames)} frames, {options.threads} thread(s), {machine()}\n")
    print("| detector | faces a frame | median ms | least ms |\n| --- | --- | --- | --- |")
    for title, (build, batch) in contenders(options.threads).items():
        faces, median, least = measure(build(), frames, batch)
        print(f"| {title} | {faces:.2f} | {median:.1f} | {least:.1f} |", flush=True)


if __name__ == "__main__":
    main()
