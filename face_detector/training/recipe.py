"""The settings that distinguish training runs of the detector."""

from __future__ import annotations

from dataclasses import dataclass

from contract.errors import DataError
from face_detector.anchors import STRIDES


@dataclass(frozen=True, slots=True)
class Recipe:
    """The figures to choose. The learning rate rises over half an epoch, then falls to nothing."""

    epochs: int = 9
    steps: int = 200
    """Batches in an epoch."""
    batch_size: int = 8
    side_px: int = 448
    """Side of the square crops that are trained on, a multiple of 32."""
    judged_px: int = 640
    """Longer side of the held-out photographs when they are judged."""
    held_out_share: float = 0.05
    peak_learning_rate: float = 3e-4
    weight_decay: float = 1e-4
    largest_gradient: float = 5.0
    """Norm of all gradients together from which they are scaled down."""
    kept_of_beginning: float = 0.15
    """Share of the weights begun with in the finished ones (Wortsman et al., "Robust fine-tuning
    of zero-shot models", 2022): what these photographs do not show is forgotten less."""
    growth_of_large: float = 1.05
    """Factor of boxes found at the widest stride: of faces of 64 px and more, people's boxes in
    the training photographs are larger than YuNet's by this much, in the median."""
    seed: int = 20
    mixed_precision: bool = False
    """Compute in 16 bits where that is safe: faster on a GPU, slower on a CPU."""

    def __post_init__(self) -> None:
        """Raises DataError for a crop that the network's strides do not fit into."""
        if self.side_px % STRIDES[-1] or self.judged_px % STRIDES[-1]:
            raise DataError(
                f"crops of {self.side_px} px and photographs of {self.judged_px} px: both must be "
                f"multiples of {STRIDES[-1]}"
            )

    @property
    def average_memory(self) -> float:
        """How much of the averaged weights stays at each step: a twentieth of the run's length."""
        return min(0.998, max(0.5, 1 - 20 / (self.epochs * self.steps)))
