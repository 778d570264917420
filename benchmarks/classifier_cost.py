"""What a face costs the classifier, against MobileNetV2 at 224 (result 4).

python -m benchmarks.classifier_cost [--threads 2] [--all]

Batches of 8 in ONNX Runtime, all networks in turn in every round, so that whatever else the
machine does falls on all alike. `--all` adds other input sizes and widths (with untrained
weights: cost does not depend on them).
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import onnxruntime as ort

from benchmarks.system import machine, print_result
from contract.people.verdicts import JUDGED_VERDICTS
from models.files import find_model
from models.mask_classifier import ClassifierSpec
from models.onnx_session import open_session

BATCH = 8
REFERENCE = (224, 1.0)
OTHERS = ((160, 1.0), (128, 1.0), (112, 1.0), (96, 1.0), (96, 0.75), (96, 0.5), (96, 0.35))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    print(f"{machine()}, {options.threads} threads, batch {BATCH}, median of {options.rounds}")
    shipped = open_session(find_model("mask-classifier"), device="cpu", threads=options.threads)
    sessions = {"shipped": shipped}
    for size, alpha in (REFERENCE, *(OTHERS if options.all else ())):
        network = untrained(size, alpha)
        title = f"MobileNetV2 {size} px, alpha {alpha}"
        sessions[title] = open_session(network, device="cpu", threads=options.threads)
    medians = measure(sessions, options.rounds)
    reference = medians[f"MobileNetV2 {REFERENCE[0]} px, alpha {REFERENCE[1]}"]
    for title, milliseconds in medians.items():
        print(
            f"{title:32} {milliseconds:7.3f} ms a face, {milliseconds / reference:5.1%} of 224",
            flush=True,
        )
    share = medians["shipped"] / reference
    print_result(
        "N4 cost of a face, of MobileNetV2-224", round(share, 3), "", "<= 1/3", share <= 1 / 3
    )


def untrained(size: int, alpha: float) -> bytes:
    """The classifier's network at another input size and width, in ONNX."""
    from models.training.export import to_onnx
    from models.training.network import build_network

    spec = ClassifierSpec(JUDGED_VERDICTS, "RGB", size, 0.15, 1.0)
    model = build_network(None, input_size=size, alpha=alpha)
    return bytes(to_onnx(model, spec).SerializeToString())


def measure(sessions: dict[str, ort.InferenceSession], rounds: int) -> dict[str, float]:
    """Median milliseconds a face of each network."""
    rng = np.random.default_rng(0)
    crops, times = {}, {title: list[float]() for title in sessions}
    for title, session in sessions.items():
        side = session.get_inputs()[0].shape[1]
        crops[title] = rng.integers(0, 256, (BATCH, side, side, 3), np.uint8)
        session.run(None, {"crops": crops[title]})
    for _ in range(rounds):
        for title, session in sessions.items():
            began = time.perf_counter()
            session.run(None, {"crops": crops[title]})
            times[title].append((time.perf_counter() - began) / BATCH * 1e3)
    return {title: float(np.median(spent)) for title, spent in times.items()}


if __name__ == "__main__":
    main()
