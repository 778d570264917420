"""Turn a finished run into the file that serves: `face_detector.onnx`, and its checksum."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import onnx

from contract.errors import CheckpointError, ModelFormatError
from face_detector.spec import INPUT, OUTPUT, DetectorSpec
from face_detector.training.callbacks import BEST_NAME
from face_detector.training.network import build_network
from face_detector.training.onnx_graph import to_onnx
from models.onnx_session import open_session
from models.training.runs import STATE_NAME

NAME: Final = "face_detector"
PARITY: Final = 1e-3
"""Most that a logit, an offset or an exponent may differ between Keras and ONNX Runtime."""
PARITY_SHAPE: Final = (2, 96, 160, 3)


def export_run(
    run: Path, out: Path, *, score_threshold: float, batch: int | None = None
) -> list[Path]:
    """Write a run's best weights as ONNX with a card of its checksum; return both paths.

    `batch` fixes the number of frames a run of the network takes; None leaves it free. Nothing
    is written unless ONNX Runtime and Keras agree. Raises CheckpointError for a folder without
    whole weights, ModelFormatError for a disagreement.
    """
    model = load_network(run / BEST_NAME)
    spec = DetectorSpec(score_threshold, _training_data(run))
    network = to_onnx(model, batch)
    onnx.helper.set_model_props(network, spec.to_metadata())
    check_parity(model, network, batch)
    out.mkdir(parents=True, exist_ok=True)
    path, card = out / f"{NAME}.onnx", out / f"{NAME}.json"
    onnx.save(network, str(path))
    content = path.read_bytes()
    entry = {
        "name": "face-detector",
        "file_name": path.name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_bytes": len(content),
    }
    card.write_text(json.dumps({**spec.to_metadata(), "files": [entry]}, indent=2) + "\n")
    return [path, card]


def load_network(weights: Path) -> Any:
    """The Keras network with a run's weights; raises CheckpointError if they cannot be read."""
    model = build_network()
    try:
        model.load_weights(weights)
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{weights} is missing; train first, or name the folder of a run"
        ) from error
    except (OSError, ValueError, KeyError) as error:
        raise CheckpointError(
            f"{weights} is damaged or of another network ({error}); remove {weights.parent} and "
            "train again"
        ) from error
    return model


def check_parity(model: Any, network: onnx.ModelProto, batch: int | None) -> float:
    """The largest difference on random pixels; raises ModelFormatError above `PARITY`."""
    shape = (batch or PARITY_SHAPE[0], *PARITY_SHAPE[1:])
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    session = open_session(network.SerializeToString(), device="cpu", threads=0)
    planes = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2), np.float32)
    [ours] = session.run([OUTPUT], {INPUT: planes})
    theirs = keras.ops.convert_to_numpy(model(pixels.astype(np.float32)))
    difference = float(np.abs(np.asarray(ours).transpose(0, 2, 1) - theirs).max())
    if not difference <= PARITY:
        raise ModelFormatError(
            f"ONNX Runtime and Keras differ by {difference:.2g} on the same pixels, at most "
            f"{PARITY:g} is expected; nothing was written. Please report it with both versions"
        )
    return difference


def _training_data(run: Path) -> str:
    try:
        return str(json.loads((run / STATE_NAME).read_text())["settings"]["sources"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{run / STATE_NAME} does not say what the run was trained on ({error!r}); export from "
            "the folder that `maskwatch train detector` wrote"
        ) from error
