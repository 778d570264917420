"""Turn a checkpoint into the files that ship.

    python -m models.training.export_onnx --checkpoint out/classifier/best.keras \
        --data ../shared/data/train --boxes out/boxes.json

Writes `mask_classifier.onnx` (what serves), `mask_classifier.keras` (the same weights for the
TensorFlow runtime) and `mask_classifier.json` (how to use them, and their checksums) into
`models/weights`. The temperature is fitted on the same held-out clusters of the training data
that chose the checkpoint.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import numpy.typing as npt
import onnx
from scipy.optimize import minimize_scalar

from contract.verdicts import JUDGED_VERDICTS
from models.files import CLASSIFIER_CARD, WEIGHTS_DIR
from models.mask_classifier import ClassifierSpec
from models.training.batches import plain_arrays
from models.training.dataset import cut_patches, read_faces, split_by_cluster
from models.training.network import INPUT_SIZE, MARGIN
from models.training.train_mask_classifier import HELD_OUT_SHARE, balanced_scores

OPSET: Final = 17


def export(checkpoint: Path, out: Path, *, temperature: float) -> None:
    """Write the three files."""
    out.mkdir(parents=True, exist_ok=True)
    spec = ClassifierSpec(JUDGED_VERDICTS, "RGB", INPUT_SIZE, MARGIN, round(temperature, 3))
    network, weights = out / "mask_classifier.onnx", out / "mask_classifier.keras"
    onnx.save(to_onnx(keras.models.load_model(checkpoint, compile=False), spec), str(network))
    if checkpoint.resolve() != weights.resolve():
        shutil.copyfile(checkpoint, weights)
    files = [_entry("mask-classifier", network), _entry("mask-classifier-keras", weights)]
    card = {**spec.to_metadata(), "files": files}
    (out / CLASSIFIER_CARD).write_text(json.dumps(card, indent=2) + "\n")


def to_onnx(model: Any, spec: ClassifierSpec) -> onnx.ModelProto:
    """The network in ONNX, taking uint8 crops named "crops" and giving float32 "logits"."""
    model(np.zeros((1, spec.input_size, spec.input_size, 3), np.float32))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        model.export(path, format="onnx", opset_version=OPSET, verbose=False)
        network = onnx.load(str(path))
    (crops,), (logits,) = network.graph.input, network.graph.output
    _rename(network.graph, crops.name, "floats")
    _rename(network.graph, logits.name, "logits")
    crops.name, logits.name = "crops", "logits"
    crops.type.tensor_type.elem_type = onnx.TensorProto.UINT8
    for end in (crops, logits):
        end.type.tensor_type.shape.dim[0].dim_param = "batch"
    cast = onnx.helper.make_node("Cast", ["crops"], ["floats"], to=onnx.TensorProto.FLOAT)
    network.graph.node.insert(0, cast)
    onnx.helper.set_model_props(network, spec.to_metadata())
    onnx.checker.check_model(network)
    return network


def fit_temperature(logits: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]) -> float:
    """The divisor of the logits that makes held-out faces likeliest, labels weighing alike."""

    def loss(log_temperature: float) -> float:
        divided = np.divide(logits, np.exp(log_temperature), dtype=np.float32)
        return balanced_scores(divided, labels)[0]

    fit = minimize_scalar(loss, bounds=(np.log(0.25), np.log(4.0)), method="bounded")
    return float(np.exp(fit.x))


def _rename(graph: Any, old: str, new: str) -> None:
    for node in graph.node:
        node.input[:] = [new if name == old else name for name in node.input]
        node.output[:] = [new if name == old else name for name in node.output]


def _entry(name: str, path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    return {
        "name": name,
        "file_name": path.name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_bytes": len(content),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Export the mask classifier.")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="the training data's folder")
    parser.add_argument("--boxes", type=Path, help="what face_detector.annotate wrote for it")
    parser.add_argument("--out", type=Path, default=WEIGHTS_DIR)
    options = parser.parse_args(arguments)
    faces = read_faces(options.data / "annotations.json", options.boxes)
    _, held_out = split_by_cluster(faces, HELD_OUT_SHARE)
    arrays = plain_arrays(cut_patches(held_out, options.data / "images"))
    model = keras.models.load_model(options.checkpoint, compile=False)
    logits = np.asarray(model.predict(arrays["x"], verbose=0), np.float32)
    temperature = fit_temperature(logits, arrays["y"])
    loss, recalls = balanced_scores(np.divide(logits, temperature, dtype=np.float32), arrays["y"])
    export(options.checkpoint, options.out, temperature=temperature)
    print(
        f"temperature {temperature:.3f}: held-out loss {loss:.4f}, recalls {np.round(recalls, 3)}"
    )


if __name__ == "__main__":
    main()
