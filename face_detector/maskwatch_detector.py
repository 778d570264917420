"""The detector that ships: trained for masked and unmasked faces in crowds.

`face_detector/weights/MODEL_CARD.md` is its model card, and `face_detector/training` its training.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np

from contract.errors import ModelFormatError
from face_detector.anchor_detector import AnchorDetector
from face_detector.anchors import Floats
from face_detector.spec import INPUT, OUTPUT, DetectorSpec
from models.onnx_session import open_session

SURE_ABOVE: Final = 0.15
"""Margin above the detector's threshold from which a score is sure. Faces below it are mostly half
hidden, so that their boxes move irregularly, or backs of heads (docs/adr/0011)."""
MOST_SURE_SCORE: Final = 0.9
"""Upper limit of the sure score: a face with this score is always sure."""


class MaskwatchDetector(AnchorDetector):
    """Finds faces of about 8 px and up in frames scaled to `input_width`."""

    name = "maskwatch"
    near_width_px = 320

    def __init__(
        self,
        path: Path,
        *,
        input_width: int = 640,
        score_threshold: float | None = None,
        device: str = "cpu",
        threads: int = 0,
        batch_size: int | None = None,
    ) -> None:
        """Load a network; `score_threshold` None takes the file's own. Raises ModelFormatError."""
        session = open_session(path, device=device, threads=threads)
        metadata = session.get_modelmeta().custom_metadata_map
        self.spec = DetectorSpec.from_metadata(metadata, str(path))
        # Files of the first version have a fixed batch.
        self._takes_bytes = "uint8" in session.get_inputs()[0].type
        self._fixed_batch = _fixed_batch(session.get_inputs()[0].shape[0], path, batch_size)
        super().__init__(
            session,
            input_width=input_width,
            score_threshold=self.spec.score_threshold
            if score_threshold is None
            else score_threshold,
            batch_size=self._fixed_batch or batch_size,
        )
        threshold = self.score_threshold
        self.sure_score = min(threshold + SURE_ABOVE, max(threshold, MOST_SURE_SCORE))

    def run(self, planes: Floats) -> Iterable[Floats]:
        """Return the network's output with class and objectness as probabilities."""
        wanted = len(planes)
        if self._fixed_batch and wanted < self._fixed_batch:
            missing = np.zeros((self._fixed_batch - wanted, *planes.shape[1:]), np.float32)
            planes = np.concatenate([planes, missing])
        pixels = planes.astype(np.uint8) if self._takes_bytes else planes
        [answers] = self._session.run([OUTPUT], {INPUT: pixels})
        answers = np.asarray(answers)[:wanted].transpose(0, 2, 1)
        answers[..., :2] = 1 / (1 + np.exp(-answers[..., :2]))
        return answers


def _fixed_batch(declared: int | str | None, path: Path, batch_size: int | None) -> int | None:
    """Return the file's fixed batch, None if it is variable; ModelFormatError on a conflict."""
    if not isinstance(declared, int):
        return None
    if batch_size not in (None, declared):
        raise ModelFormatError(
            f"{path} was exported for batches of {declared}, but batches of {batch_size} are "
            "asked for; export it with another --batch, or without"
        )
    return declared
