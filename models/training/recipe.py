"""The numbers of the mask classifier's training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MARGIN: Final = 0.15
"""See `models.crops.crop_faces`: ears, chin and straps are in the picture, neighbours not."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a run is trained; docs/adr/0010 has the comparisons behind the defaults.

    network: one of `models.training.network.NETWORKS`. input_size: side of a crop in pixels.
    alpha: the network's width; ImageNet weights are public for 1.0. An epoch is `steps`
    batches of `batch_size` drawn and varied faces.
    """

    network: str = "mobilenet_v2"
    input_size: int = 128
    alpha: float = 1.0
    epochs: int = 12
    steps: int = 130
    batch_size: int = 64
    peak_learning_rate: float = 4e-4
    weight_decay: float = 1e-4
    label_smoothing: float = 0.05
    held_out_share: float = 0.06
    seed: int = 20
