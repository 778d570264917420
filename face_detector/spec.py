"""Metadata in our face detectors' files, which the network itself does not contain."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from contract.errors import ModelFormatError
from face_detector.anchors import HEADS, STRIDES

FORMAT: Final = "maskwatch-face-detector/1"
INPUT, OUTPUT = "frames", "anchors"


@dataclass(frozen=True, slots=True)
class DetectorSpec:
    """The metadata of `maskwatch export detector`.

    score_threshold: the least score of a face, chosen on photographs held out of the training.
    training_data: sources with their photographs, faces and terms, as one line of text.
    """

    score_threshold: float
    training_data: str = "unknown"

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], where: str) -> DetectorSpec:
        """Read from an ONNX file's metadata; raises ModelFormatError if it is not ours."""
        if metadata.get("format") != FORMAT:
            raise ModelFormatError(
                f"{where} does not say that it is a face detector: expected metadata 'format' to "
                f"be {FORMAT!r}, found {metadata.get('format')!r}; export it with "
                "`maskwatch export detector`"
            )
        try:
            spec = cls(float(metadata["score_threshold"]), metadata["training_data"])
            strides, heads = json.loads(metadata["strides"]), json.loads(metadata["heads"])
        except (KeyError, ValueError) as error:
            raise ModelFormatError(f"{where} has unusable metadata: {error!r}") from error
        if (strides, heads) != (list(STRIDES), HEADS) or not 0 < spec.score_threshold < 1:
            raise ModelFormatError(
                f"{where} has strides {strides}, heads {heads} and threshold "
                f"{spec.score_threshold}; expected {list(STRIDES)}, {HEADS} and one in 0..1"
            )
        return spec

    def to_metadata(self) -> dict[str, Any]:
        """Return the metadata for `from_metadata`, and more for other readers; all strings."""
        return {
            "format": FORMAT,
            "labels": json.dumps(["face"]),
            "input": "frames: (batch, 3, height, width) float32; sides are multiples of 32",
            "colour_order": "BGR",
            "normalisation": "none: 0 to 255 as they are",
            "output": (
                "anchors: (batch, 16, cells) float32; cells of stride 8, then 16, then 32, each "
                "row by row; channels as in heads: class and objectness logits (score: square "
                "root of the product of their sigmoids), box centre (offset from the cell's "
                "corner, in strides) and size (exponents, in strides), five landmarks (offsets)"
            ),
            "strides": json.dumps(list(STRIDES)),
            "heads": json.dumps(HEADS),
            "score_threshold": str(self.score_threshold),
            "training_data": self.training_data,
        }
