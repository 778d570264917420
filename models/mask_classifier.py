"""The interface of mask classifiers, and the metadata of their files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from contract.errors import ModelFormatError
from contract.people.verdicts import VERDICTS, Verdict

FORMAT: Final = "maskwatch-mask-classifier/1"
COLOUR_ORDERS: Final = ("RGB", "BGR")
NORMALISATIONS: Final = ("inside", "-1..1")
"""How pixels are scaled: the network takes 0..255, or the caller scales to -1..1."""
OUTPUTS: Final = ("logits", "probabilities")
DEFAULT_THRESHOLD: Final = 0.7
"""Default for files without a threshold; from the first weights (docs/adr/0004)."""
SURE: Final = 0.98
"""From this probability on, an answer stands without a look in the mirror: of the looks in real
clips that are so sure, one in a thousand is wrong."""
_YES_OR_NO: Final = {"yes": True, "no": False}
Run = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]]
"""From crops as a network takes them to its outputs."""
LABEL_SPELLINGS: Final[Mapping[str, Verdict]] = {
    "with_mask": "mask",
    "without_mask": "no_mask",
    "mask_weared_incorrect": "incorrect",
}
"""Other spellings of labels, from public sets and from the demo that Maskwatch grew out of."""


class MaskClassifier(Protocol):
    """Judges how masks are worn on face crops, or that a crop cannot be judged.

    One instance belongs to one thread.
    """

    labels: tuple[str, ...]
    """Always `VERDICTS`, also if the file has another order."""
    input_size: int
    margin: float
    """The margin of crops: see `models.crops.crop_faces`."""
    threshold: float
    """Least probability of a verdict; a less certain face is `unknown`."""
    device: str
    """The device on which it runs: "cpu" or "cuda"."""

    def classify(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Probabilities (N, 4) float32 in the order of `labels`, each row summing to 1.

        The last column is `unknown`: the crop cannot be judged (the back of a head, a covered
        mouth, a blur, no face). It is 0 from networks without this output.

        crops: (N, input_size, input_size, 3) uint8 BGR, N may be 0.
        """
        ...


@dataclass(frozen=True, slots=True)
class ClassifierSpec:
    """The metadata in a classifier's file, which the network itself does not contain.

    labels: in the order of the outputs; *incorrect* and *unknown* may be absent, and the network
    then never gives them.
    colour_order: of the crops it takes. temperature: divides the logits (Guo et al., 2017), so
    that the probabilities are honest and votes can be added up. threshold: the probability
    from which a verdict is given, chosen on a risk-coverage curve. normalisation: one of
    `NORMALISATIONS`. outputs: one of `OUTPUTS`. mirrored: a crop whose answer is less sure than
    `SURE` is judged again as in a mirror, and the mean of both is the answer.
    """

    labels: tuple[str, ...]
    colour_order: str
    input_size: int
    margin: float
    temperature: float
    threshold: float = DEFAULT_THRESHOLD
    normalisation: str = "inside"
    outputs: str = "logits"
    mirrored: bool = False

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, Any], where: str) -> ClassifierSpec:
        """Read a file's metadata; raise ModelFormatError if a field is missing."""
        if metadata.get("format") != FORMAT:
            raise ModelFormatError(
                f"{where} does not say that it is a mask classifier: expected metadata "
                f"'format' to be {FORMAT!r}, found {metadata.get('format')!r}; export it with "
                "`maskwatch export classifier`"
            )
        try:
            labels = metadata["labels"]
            spec = cls(
                labels=_spelt_as_ours(json.loads(labels) if isinstance(labels, str) else labels),
                colour_order=str(metadata["colour_order"]),
                input_size=int(metadata["input_size"]),
                margin=float(metadata["margin"]),
                temperature=float(metadata["temperature"]),
                threshold=float(metadata.get("threshold", DEFAULT_THRESHOLD)),
                normalisation=str(metadata.get("normalisation", "inside")),
                outputs=str(metadata.get("outputs", "logits")),
                mirrored=_YES_OR_NO[str(metadata.get("mirrored", "no"))],
            )
        except (KeyError, ValueError, TypeError) as error:
            raise ModelFormatError(f"{where} has unusable metadata: {error!r}") from error
        spec._check(where)
        return spec

    def to_metadata(self) -> dict[str, str]:
        """Return the metadata for `from_metadata`: strings only, as ONNX requires."""
        return {
            "format": FORMAT,
            "labels": json.dumps(self.labels),
            "colour_order": self.colour_order,
            "input_size": str(self.input_size),
            "margin": str(self.margin),
            "temperature": str(self.temperature),
            "threshold": str(self.threshold),
            "normalisation": self.normalisation,
            "outputs": self.outputs,
            "mirrored": "yes" if self.mirrored else "no",
        }

    def judge(self, crops: npt.NDArray[np.uint8], run: Run) -> npt.NDArray[np.float32]:
        """Return (N, 4) probabilities of (N, S, S, 3) BGR crops; `run` runs the network."""
        answers = self.to_probabilities(run(self.to_input(crops)))
        unsure = np.flatnonzero(answers.max(axis=1) < SURE)
        if self.mirrored and len(unsure):
            mirrored = self.to_input(crops[unsure][:, :, ::-1])
            answers[unsure] = (answers[unsure] + self.to_probabilities(run(mirrored))) / 2
        return answers

    def to_input(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """BGR crops in the colour order that the network takes."""
        expected = (self.input_size, self.input_size, 3)
        if crops.shape[1:] != expected or crops.dtype != np.uint8:
            raise ValueError(
                f"crops must be (N, {expected[0]}, {expected[1]}, 3) uint8, "
                f"not {crops.shape} {crops.dtype}"
            )
        if self.colour_order == "BGR" or not len(crops):
            return np.ascontiguousarray(crops)
        # All crops as one tall picture: NumPy takes forty times as long to turn the colours round.
        rows = np.ascontiguousarray(crops).reshape(-1, self.input_size, 3)
        turned = cv2.cvtColor(rows, cv2.COLOR_BGR2RGB)
        return np.asarray(turned, np.uint8).reshape(crops.shape)

    def to_probabilities(self, outputs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """(N, labels) outputs in the file's order to (N, 4) in that of `VERDICTS`."""
        probabilities = outputs.astype(np.float64)
        if self.outputs == "logits":
            scaled = probabilities / self.temperature
            powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
            probabilities = powers / powers.sum(axis=1, keepdims=True)
        ordered = np.zeros((len(outputs), len(VERDICTS)), np.float32)
        for label, column in zip(self.labels, probabilities.T, strict=True):
            ordered[:, VERDICTS.index(label)] = column
        return ordered

    def _check(self, where: str) -> None:
        known = set(self.labels) <= set(VERDICTS)
        if not known or len(set(self.labels)) < len(self.labels) or len(self.labels) < 2:
            raise ModelFormatError(
                f"{where} has the labels {self.labels}, expected each of {VERDICTS} once, in "
                "the order of the network's outputs; only incorrect and unknown may be absent"
            )
        if not {"mask", "no_mask"} <= set(self.labels):
            raise ModelFormatError(
                f"{where} has the labels {self.labels}: mask and no_mask are needed"
            )
        for name, value, allowed in (
            ("colour order", self.colour_order, COLOUR_ORDERS),
            ("normalisation", self.normalisation, NORMALISATIONS),
            ("outputs", self.outputs, OUTPUTS),
        ):
            if value not in allowed:
                raise ModelFormatError(
                    f"{where} has the {name} {value!r}, expected {' or '.join(allowed)}"
                )
        in_range = self.temperature > 0 and self.margin >= 0 and self.input_size >= 1
        if not in_range or not 0 <= self.threshold <= 1:
            raise ModelFormatError(f"{where} has metadata out of range: {self}")


def _spelt_as_ours(labels: Any) -> tuple[str, ...]:
    return tuple(LABEL_SPELLINGS.get(str(label), str(label)) for label in labels)
