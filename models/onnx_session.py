"""One way to open an ONNX network, so that all of them honour the same device and threads."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import onnxruntime as ort

from contract.errors import ModelFormatError, SettingsError

DEVICES: Final[tuple[str, ...]] = ("auto", "cpu", "cuda")


def resolve_device(device: str) -> str:
    """Turn a wanted device into the one that will be used: "cpu" or "cuda".

    "auto" takes CUDA where this build of ONNX Runtime offers it. Asking for "cuda" where it
    is not offered raises SettingsError rather than silently running ten times slower.
    """
    if device not in DEVICES:
        raise SettingsError(f"device must be one of {', '.join(DEVICES)}, not {device!r}")
    offered = "CUDAExecutionProvider" in ort.get_available_providers()
    if device == "cuda" and not offered:
        raise SettingsError(
            "device is 'cuda', but this ONNX Runtime offers no CUDAExecutionProvider; "
            "install onnxruntime-gpu in place of onnxruntime, or set the device to 'cpu'"
        )
    return "cuda" if device != "cpu" and offered else "cpu"


def open_session(network: Path | bytes, *, device: str, threads: int) -> ort.InferenceSession:
    """Open a network for inference.

    `network` is a file or its bytes; `device` is as for `resolve_device`; `threads` is the
    number of CPU threads inside one operator, 0 for one per core. Raises ModelFormatError
    if the bytes are no ONNX network.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    # Spinning threads win microseconds and burn the cores that the decoders need.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # It lays out a block of memory for every batch size it meets, and keeps them all (ADR 0032).
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    source = network if isinstance(network, bytes) else str(network)
    name = "the network" if isinstance(network, bytes) else str(network)
    try:
        return ort.InferenceSession(source, options, providers=_providers(device))
    except Exception as error:  # ONNX Runtime's own errors share no public base class
        raise ModelFormatError(f"{name} cannot be opened as an ONNX network: {error}") from error


def session_device(session: ort.InferenceSession) -> str:
    """The device a session really runs on: ONNX Runtime falls back to the CPU quietly."""
    return "cuda" if "CUDAExecutionProvider" in session.get_providers() else "cpu"


def _providers(device: str) -> list[str]:
    if resolve_device(device) == "cuda":
        return ["CUDAExecutionProvider", "CPUExecutionProvider"]
    return ["CPUExecutionProvider"]
