"""Pictures of aggregated figures as PNG files, and contact sheets of crops."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
CAPTION_PX: Final = 14


@contextmanager
def drawing(
    path: Path,
    *,
    title: str,
    x_label: str,
    y_label: str,
    size_inches: tuple[float, float] = (5.5, 4.0),
) -> Iterator[Any]:
    """Yield matplotlib axes to draw on, and write them to `path` at the end.

    Matplotlib is imported here, and uses no window system.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=size_inches, layout="constrained")
    axes = figure.subplots()
    axes.set(title=title, xlabel=x_label, ylabel=y_label)
    axes.grid(visible=True, alpha=0.3)
    yield axes
    if axes.get_legend_handles_labels()[1]:
        axes.legend(fontsize="small")
    path.parent.mkdir(parents=True, exist_ok=True)
    # Leave out the program's version, so that equal figures give equal bytes.
    figure.savefig(path, dpi=100, metadata={"Software": None})


def save_curves(
    path: Path,
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    title: str,
    x_label: str,
    y_label: str,
) -> None:
    """Write named curves of (x, y) into one picture."""
    with drawing(path, title=title, x_label=x_label, y_label=y_label) as axes:
        for name, (x, y) in curves.items():
            axes.plot(x, y, label=name, linewidth=1.4)


def contact_sheet(tiles: Sequence[tuple[Image, str]], *, columns: int, tile_px: int) -> Image:
    """BGR images of any size, each with a caption under it, side by side: (H, W, 3) uint8.

    Do not commit the sheet, because it shows faces.
    """
    rows = max(1, -(-len(tiles) // columns))
    sheet = np.full((rows * (tile_px + CAPTION_PX), columns * tile_px, 3), 255, np.uint8)
    for number, (image, caption) in enumerate(tiles):
        top = number // columns * (tile_px + CAPTION_PX)
        left = number % columns * tile_px
        sheet[top : top + tile_px, left : left + tile_px] = cv2.resize(
            image, (tile_px, tile_px), interpolation=cv2.INTER_AREA
        )
        corner = (left + 2, top + tile_px + CAPTION_PX - 3)
        cv2.putText(sheet, caption, corner, cv2.FONT_HERSHEY_SIMPLEX, 0.33, (0, 0, 0), 1)
    return sheet
