"""G: detector and classifier on a GPU, batches of 1 to 128; says so where there is none.

python -m benchmarks.gpu [--batches 1 2 4 8 16 32 64 128] [--rounds 30]

Needs onnxruntime-gpu in place of onnxruntime. End to end is from frames in memory (1920x1080) to
boxes, and from crops in memory to probabilities: scaling, copies to and from the GPU and decoding
included; bare is one run of the network. The same networks on the CPU beside them.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import onnxruntime as ort

from benchmarks.system import machine, print_result
from face_detector.maskwatch_detector import MaskwatchDetector
from models.files import find_model
from models.onnx_classifier import OnnxMaskClassifier
from runtime.settings import load_settings

FRAME = (1080, 1920, 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32, 64, 128])
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    offered = ort.get_available_providers()
    if "CUDAExecutionProvider" not in offered:
        print(f"no GPU here: ONNX Runtime offers {', '.join(offered)}; nothing was measured")
        return
    print(f"{machine()}; ONNX Runtime {ort.__version__} offers {', '.join(offered)}", flush=True)
    for device in ("cuda", "cpu"):
        for batch in options.batches if device == "cuda" else [1]:
            measure(device, batch, options.rounds)


def measure(device: str, batch: int, rounds: int) -> None:
    """Print the four figures of one device and batch size."""
    path = find_model("face-detector", load_settings().where_models_are)
    detector = MaskwatchDetector(path, device=device, batch_size=batch)
    classifier = OnnxMaskClassifier(find_model("mask-classifier"), device=device)
    if detector.device != device:
        print(f"no GPU here: ONNX Runtime fell back to {detector.device}; nothing was measured")
        return
    noise = np.random.default_rng(0)
    frames = list(noise.integers(0, 256, (batch, *FRAME), np.uint8))
    height, width = detector.input_shape(frames[0])
    planes = noise.integers(0, 256, (batch, 3, height, width), np.uint8)
    side = classifier.input_size
    crops = noise.integers(0, 256, (batch, side, side, 3), np.uint8)
    timed: dict[str, Callable[[], object]] = {
        "detector, bare": detector.bare_run(planes),
        "detector, end to end": partial(detector.detect, frames),
        "classifier, end to end": partial(classifier.classify, crops),
    }
    for name, run in timed.items():
        each_ms = _milliseconds(run, rounds) / batch
        title = f"G {name}, {device}, batch {batch}"
        print_result(title, round(each_ms, 3), "ms each", "none", True)


def _milliseconds(run: Callable[[], object], rounds: int) -> float:
    for _ in range(3):
        run()
    found = []
    for _ in range(rounds):
        began_s = time.perf_counter()
        run()
        found.append((time.perf_counter() - began_s) * 1000)
    return statistics.median(found)


if __name__ == "__main__":
    main()
