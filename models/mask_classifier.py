"""What a mask classifier promises, and what its file must say about itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from contract.errors import ModelFormatError
from contract.verdicts import JUDGED_VERDICTS

FORMAT: Final = "maskwatch-mask-classifier/1"
COLOUR_ORDERS: Final = ("RGB", "BGR")


class MaskClassifier(Protocol):
    """Says for face crops how a mask is worn. One instance belongs to one thread."""

    labels: tuple[str, ...]
    """Always `JUDGED_VERDICTS`, whatever order the file has."""
    input_size: int
    margin: float
    """How to cut its crops: see `models.crops.crop_faces`."""
    device: str
    """Where it runs: "cpu" or "cuda"."""

    def classify(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Probabilities (N, 3) float32 in the order of `labels`, each row summing to 1.

        crops: (N, input_size, input_size, 3) uint8 BGR, N may be 0.
        """
        ...


@dataclass(frozen=True, slots=True)
class ClassifierSpec:
    """What a classifier's file records, because a network alone cannot tell.

    labels: in the order of its logits. colour_order: of the crops it takes, 0..255; scaling
    is part of the network. temperature: divides the logits (Guo et al., 2017), so that the
    probabilities are honest and votes can be added up.
    """

    labels: tuple[str, ...]
    colour_order: str
    input_size: int
    margin: float
    temperature: float

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, Any], where: str) -> ClassifierSpec:
        """Read from a file's metadata; raise ModelFormatError if it lacks any of it."""
        if metadata.get("format") != FORMAT:
            raise ModelFormatError(
                f"{where} does not say that it is a mask classifier: expected metadata "
                f"'format' to be {FORMAT!r}, found {metadata.get('format')!r}; export it with "
                "`python -m models.training.export_onnx`"
            )
        try:
            labels = metadata["labels"]
            spec = cls(
                labels=tuple(json.loads(labels) if isinstance(labels, str) else labels),
                colour_order=str(metadata["colour_order"]),
                input_size=int(metadata["input_size"]),
                margin=float(metadata["margin"]),
                temperature=float(metadata["temperature"]),
            )
        except (KeyError, ValueError, TypeError) as error:
            raise ModelFormatError(f"{where} has unusable metadata: {error!r}") from error
        spec._check(where)
        return spec

    def to_metadata(self) -> dict[str, str]:
        """What `from_metadata` reads, all strings, as ONNX wants it."""
        return {
            "format": FORMAT,
            "labels": json.dumps(self.labels),
            "colour_order": self.colour_order,
            "input_size": str(self.input_size),
            "margin": str(self.margin),
            "temperature": str(self.temperature),
        }

    def to_input(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """BGR crops in the colour order that the network takes."""
        expected = (self.input_size, self.input_size, 3)
        if crops.shape[1:] != expected or crops.dtype != np.uint8:
            raise ValueError(
                f"crops must be (N, {expected[0]}, {expected[1]}, 3) uint8, "
                f"not {crops.shape} {crops.dtype}"
            )
        return np.ascontiguousarray(crops[..., ::-1] if self.colour_order == "RGB" else crops)

    def to_probabilities(self, logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """(N, 3) logits in the file's order to probabilities in that of `JUDGED_VERDICTS`."""
        order = [self.labels.index(label) for label in JUDGED_VERDICTS]
        scaled = logits[:, order].astype(np.float64) / self.temperature
        powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)

    def _check(self, where: str) -> None:
        if sorted(self.labels) != sorted(JUDGED_VERDICTS):
            raise ModelFormatError(
                f"{where} has the labels {self.labels}, expected {JUDGED_VERDICTS} in any order"
            )
        if self.colour_order not in COLOUR_ORDERS:
            raise ModelFormatError(
                f"{where} has the colour order {self.colour_order!r}, expected RGB or BGR"
            )
        if self.temperature <= 0 or self.margin < 0 or self.input_size < 1:
            raise ModelFormatError(f"{where} has metadata out of range: {self}")
