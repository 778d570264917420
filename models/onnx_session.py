"""Opens ONNX networks, all with the same rules for device and threads."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

import onnxruntime as ort

from contract.errors import ModelDeviceError, ModelFormatError, SettingsError

_log = logging.getLogger(__name__)

DEVICES: Final[tuple[str, ...]] = ("auto", "cpu", "cuda")


def resolve_device(device: str) -> str:
    """Return the device to try, "cpu" or "cuda", for the wanted one.

    "auto" takes CUDA if this build of ONNX Runtime offers it. "cuda" without such a build raises
    ModelDeviceError instead of silently running ten times slower. The build may offer CUDA without
    a driver, so `open_session` checks the device of the session.
    """
    if device not in DEVICES:
        raise SettingsError(f"device must be one of {', '.join(DEVICES)}, not {device!r}")
    offered = "CUDAExecutionProvider" in ort.get_available_providers()
    if device == "cuda" and not offered:
        raise ModelDeviceError(
            "device is 'cuda', but this ONNX Runtime offers no CUDAExecutionProvider; "
            "install onnxruntime-gpu in place of onnxruntime, or set the device to 'cpu'"
        )
    return "cuda" if device != "cpu" and offered else "cpu"


def open_session(network: Path | bytes, *, device: str, threads: int) -> ort.InferenceSession:
    """Open a network for inference.

    `network` is a file or its bytes; `device` is as for `resolve_device`; `threads` is the
    number of CPU threads inside one operator, 0 for one per core.

    Raises:
        ModelFormatError: the bytes are not an ONNX network.
        ModelDeviceError: the caller wanted "cuda", but the session runs on the CPU.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    # Spinning threads save microseconds, but occupy the cores that the decoders need.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # ONNX Runtime would allocate a block of memory for every batch size, and keep all (ADR 0032).
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    providers = _providers(device)
    source = network if isinstance(network, bytes) else _source(network)
    name = "the network" if isinstance(network, bytes) else str(network)
    try:
        session = ort.InferenceSession(source, options, providers=providers)
    except Exception as error:  # ONNX Runtime's own errors share no public base class
        raise ModelFormatError(f"{name} cannot be opened as an ONNX network: {error}") from error
    _check_device(session, device, tried=providers[0])
    return session


def _source(path: Path) -> str | bytes:
    """The path; the file's bytes if this locale cannot write the path as UTF-8."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return path.read_bytes()
    return str(path)


def session_device(session: ort.InferenceSession) -> str:
    """Return the session's real device, because ONNX Runtime silently falls back to the CPU."""
    return "cuda" if "CUDAExecutionProvider" in session.get_providers() else "cpu"


def _check_device(session: ort.InferenceSession, device: str, tried: str) -> None:
    """Raise if the session silently fell back to the CPU. tried: the provider that we wanted."""
    if device == "cuda":
        # Otherwise a failing run would continue on the CPU for good.
        session.disable_fallback()
    if tried in session.get_providers():
        return
    words = (
        "ONNX Runtime cannot use a GPU here and runs networks on the processor; is there one, with "
        "a driver and the CUDA version that onnxruntime-gpu needs (`nvidia-smi`)?"
    )
    if device == "cuda":
        raise ModelDeviceError(f"device is 'cuda', but {words} Or set the device to 'cpu'")
    _log.warning("%s", words)


def _providers(device: str) -> list[str]:
    if resolve_device(device) == "cuda":
        return ["CUDAExecutionProvider", "CPUExecutionProvider"]
    return ["CPUExecutionProvider"]
