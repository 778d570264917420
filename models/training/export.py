"""Turn a finished run into the files that serve.

`mask_classifier.onnx` serves, `mask_classifier.keras` holds the same weights for the TensorFlow
runtime, and `mask_classifier.json` says how to use them, with their checksums.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import numpy.typing as npt
import onnx

from contract.errors import CheckpointError, ModelError, ModelFormatError
from contract.people.verdicts import VERDICTS
from models.files import CLASSIFIER_CARD
from models.mask_classifier import ClassifierSpec
from models.onnx_session import open_session
from models.training.recipe import MARGIN
from models.training.train import BEST_NAME, CALIBRATION_NAME

OPSET: Final = 17
PARITY: Final = 1e-3
"""Most that a probability may differ between Keras and ONNX Runtime."""
NAME: Final = "mask_classifier"


def export_run(run: Path, out: Path, *, batch: int | None = None) -> list[Path]:
    """Write the three files of a run's best checkpoint and return their paths.

    `batch` fixes the number of crops in the ONNX file; None leaves it free. Nothing is
    written unless ONNX Runtime and Keras agree on random crops to within `PARITY`. Raises
    CheckpointError for a run that is not finished or damaged, ModelError for a disagreement.
    """
    checkpoint = run / BEST_NAME
    model = _load(checkpoint)
    spec = _spec(run, model)
    network = to_onnx(model, spec, batch=batch)
    check_parity(model, network, spec)
    out.mkdir(parents=True, exist_ok=True)
    paths = [out / f"{NAME}.onnx", out / f"{NAME}.keras", out / CLASSIFIER_CARD]
    onnx.save(network, str(paths[0]))
    if checkpoint.resolve() != paths[1].resolve():
        shutil.copyfile(checkpoint, paths[1])
    files = [_entry("mask-classifier", paths[0]), _entry("mask-classifier-keras", paths[1])]
    card = {**spec.to_metadata(), "files": files}
    paths[2].write_text(json.dumps(card, indent=2) + "\n")
    return paths


def to_onnx(model: Any, spec: ClassifierSpec, *, batch: int | None = None) -> onnx.ModelProto:
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
        size = end.type.tensor_type.shape.dim[0]
        size.Clear()
        if batch is None:
            size.dim_param = "batch"
        else:
            size.dim_value = batch
    cast = onnx.helper.make_node("Cast", ["crops"], ["floats"], to=onnx.TensorProto.FLOAT)
    network.graph.node.insert(0, cast)
    onnx.helper.set_model_props(network, spec.to_metadata())
    onnx.checker.check_model(network)
    return network


def check_parity(model: Any, network: onnx.ModelProto, spec: ClassifierSpec) -> None:
    """Raise ModelError if both runtimes' probabilities differ on the same random crops."""
    batch = network.graph.input[0].type.tensor_type.shape.dim[0].dim_value or 8
    crops = _random_crops(batch, spec.input_size)
    session = open_session(network.SerializeToString(), device="cpu", threads=1)
    (there,) = session.run(None, {"crops": crops})
    here = np.asarray(model.predict(crops.astype(np.float32), verbose=0), np.float32)
    apart = np.abs(spec.to_probabilities(np.asarray(there)) - spec.to_probabilities(here)).max()
    if not apart <= PARITY:
        raise ModelError(
            f"ONNX Runtime and Keras differ by {apart:.4f} in a probability, at most {PARITY} is "
            "expected; nothing was written: try another version of tf2onnx or Keras"
        )


def _random_crops(count: int, side: int) -> npt.NDArray[np.uint8]:
    """Blotches rather than noise, so that the network sees edges of all sizes."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (count, 8, 8, 3), np.uint8)
    fine = coarse.repeat(-(-side // 8), axis=1).repeat(-(-side // 8), axis=2)
    return np.ascontiguousarray(fine[:, :side, :side])


def _load(checkpoint: Path) -> Any:
    try:
        return keras.models.load_model(checkpoint, compile=False)
    except (ValueError, OSError) as error:
        raise CheckpointError(
            f"{checkpoint} cannot be opened as a Keras network ({error}); give the folder of a "
            "finished `maskwatch train classifier`, or train again"
        ) from error


def _spec(run: Path, model: Any) -> ClassifierSpec:
    path = run / CALIBRATION_NAME
    try:
        calibration = json.loads(path.read_text())
        temperature, threshold = calibration["temperature"], calibration["threshold"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{path} is missing or damaged ({error!r}): the run is not finished; run "
            "`maskwatch train classifier` again, it goes on where it was"
        ) from error
    side = model.input_shape[1]
    metadata = ClassifierSpec(
        VERDICTS[: model.output_shape[1]],
        "RGB",
        side,
        MARGIN,
        round(temperature, 3),
        round(threshold, 3),
        mirrored=True,
    ).to_metadata()
    try:
        return ClassifierSpec.from_metadata(metadata, str(path))
    except ModelFormatError as error:
        raise CheckpointError(f"{error}; train again") from error


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
