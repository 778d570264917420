"""Detector and classifier together, as `maskwatch evaluate pipeline` measures them."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest
from click.testing import CliRunner

from ingest.demo.options import parse_demo
from ingest.demo.scene import Scene
from ingest.demo.walkers import faces_at
from maskwatch.cli import main

BEGIN_S = 1_790_000_000.0
CATEGORIES = {"mask": 1, "incorrect": 2, "no_mask": 3}


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Frames of a demo scene as a COCO folder, with the scene's own truth."""
    folder = tmp_path_factory.mktemp("scenes")
    (folder / "images").mkdir()
    options = parse_demo("demo:seed=5&people=4")
    stage, images, annotations = Scene(options), [], []
    for number in range(10):
        time_s = BEGIN_S + 2.0 * number
        picture = stage.render(time_s)
        cv2.imwrite(str(folder / "images" / f"{number}.jpg"), picture)
        height, width = picture.shape[:2]
        file = {"file_name": f"{number}.jpg", "source": "demo", "width": width, "height": height}
        images.append({"id": number, **file})
        for face in faces_at(options, time_s):
            x, y, right, bottom = face.box
            if face.visible > 0.9 and bottom - y >= 30:
                box = [x, y, right - x, bottom - y]
                place = {"image_id": number, "bbox": box, "id": len(annotations) + 1}
                annotations.append({**place, "category_id": CATEGORIES[face.verdict]})
    categories = [{"id": number, "name": name} for name, number in CATEGORIES.items()]
    coco = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "annotations.json").write_text(json.dumps(coco))
    return folder


def test_the_networks_that_ship_judge_the_demos_faces(scenes: Path, tmp_path: Path) -> None:
    arguments = ["evaluate", "pipeline", "--data", str(scenes), "--out", str(tmp_path)]

    result = CliRunner().invoke(main, arguments)

    assert result.exit_code == 0, result.output
    labelled = json.loads((scenes / "annotations.json").read_text())["annotations"]
    cells = [cell.strip() for cell in _line((tmp_path / "pipeline.md"), "| all |").split("|")]
    assert int(cells[2]) == len(labelled) >= 12
    found, answered, right = (float(cell.split(" %")[0]) for cell in cells[3:6])
    assert found > 80
    assert answered > 70
    assert right > 80


def test_predictions_can_be_scored_by_others(scenes: Path, tmp_path: Path) -> None:
    arguments = ["evaluate", "pipeline", "--data", str(scenes), "--out", str(tmp_path)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    labelled = json.loads((scenes / "annotations.json").read_text())["annotations"]

    predictions = json.loads((tmp_path / "predictions.json").read_text())

    assert {one["image_id"] for one in predictions} <= set(range(10))
    matched = 0
    for label in labelled:
        x, y, width, height = label["bbox"]
        middle = x + width / 2, y + height / 2
        on_it = [
            one
            for one in predictions
            if one["image_id"] == label["image_id"]
            and abs(one["bbox"][0] + one["bbox"][2] / 2 - middle[0]) < width / 4
            and abs(one["bbox"][1] + one["bbox"][3] / 2 - middle[1]) < height / 4
        ]
        matched += any(one.get("category_id") == label["category_id"] for one in on_it)
    assert matched > 0.6 * len(labelled)
    assert all(0 < one["score"] <= 1 for one in predictions)


def test_a_missing_image_is_named(scenes: Path, tmp_path: Path) -> None:
    broken = json.loads((scenes / "annotations.json").read_text())
    broken["images"][0]["file_name"] = "gone.jpg"
    (tmp_path / "images").mkdir()
    (tmp_path / "annotations.json").write_text(json.dumps(broken))

    arguments = ["evaluate", "pipeline", "--data", str(tmp_path), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(main, arguments)

    assert result.exit_code == 2
    assert "gone.jpg" in result.output


def _line(path: Path, begin: str) -> str:
    return next(
        line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith(begin)
    )
