from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from models.reporting.intervals import Share
from models.reporting.tables import markdown_table


def test_a_share_carries_its_wilson_interval() -> None:
    low, high = Share(19, 20).interval

    assert (low, high) == (pytest.approx(0.764, abs=1e-3), pytest.approx(0.991, abs=1e-3))
    assert str(Share(19, 20)) == "95.0 % (76.4-99.1)"
    assert Share(20, 20).interval[1] == 1
    assert str(Share(0, 0)) == "-"


def test_a_table_is_markdown() -> None:
    assert markdown_table(["source", "n"], [["here", 3]]).splitlines() == [
        "| source | n |",
        "| --- | --- |",
        "| here | 3 |",
    ]


def test_the_same_figures_give_the_same_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs matplotlib, which is not installed")
    from models.reporting.figures import save_curves

    for name in ("one.png", "two.png"):
        save_curves(
            tmp_path / "new" / name,
            {"loss": ([1, 2], [0.5, 0.2])},
            title="Learning",
            x_label="epoch",
            y_label="loss",
        )

    one, two = ((tmp_path / "new" / name).read_bytes() for name in ("one.png", "two.png"))
    assert one == two
    assert cv2.imdecode(np.frombuffer(one, np.uint8), cv2.IMREAD_COLOR).std() > 1


def test_a_contact_sheet_has_room_for_every_tile() -> None:
    from models.reporting.figures import CAPTION_PX, contact_sheet

    grey = np.full((30, 20, 3), 128, np.uint8)

    sheet = contact_sheet([(grey, "a")] * 5, columns=3, tile_px=40)

    assert sheet.shape == (2 * (40 + CAPTION_PX), 120, 3)
    assert sheet[20, 60].tolist() == [128] * 3
    assert sheet[20 + 40 + CAPTION_PX, 100].tolist() == [255] * 3
