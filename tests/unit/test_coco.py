"""Sets of photographs: what can be read, and what is said about what cannot."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from contract.errors import DataError
from contract.people.verdicts import JUDGED_VERDICTS
from models.coco import UNJUDGED, read_photographs

Coco = dict[str, Any]


def plain_export() -> Coco:
    """What a labelling tool writes: nothing but plain COCO."""
    return {
        "images": [
            {"id": 7, "file_name": "a.png", "width": 60, "height": 40},
            {"id": 8, "file_name": "b.png", "width": 60, "height": 40},
        ],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 5, "bbox": [10, 5, 20, 30]},
            {"id": 2, "image_id": 7, "category_id": 6, "bbox": [30, 5, 30, 35], "iscrowd": 1},
        ],
        "categories": [{"id": 5, "name": "without_mask"}, {"id": 6, "name": "mask"}],
    }


def write(folder: Path, coco: Coco) -> Path:
    (folder / "images").mkdir()
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(folder / "images" / name), np.full((40, 60, 3), 90, np.uint8))
    (folder / "annotations.json").write_text(json.dumps(coco))
    return folder


def test_a_plain_coco_export_is_read_with_sensible_defaults(tmp_path: Path) -> None:
    photographs = read_photographs(write(tmp_path, plain_export()))

    first, second = photographs.photographs
    assert first.boxes.tolist() == [[10, 5, 30, 35], [30, 5, 60, 40]]
    assert [JUDGED_VERDICTS[label] for label in first.labels] == ["no_mask", "mask"]
    assert first.crowds.tolist() == [False, True]
    assert (first.source, first.cluster, first.flags) == (tmp_path.name, "a.png", frozenset())
    assert first.read().shape == (40, 60, 3)
    assert second.boxes.shape == (0, 4)
    assert photographs.category_ids[JUDGED_VERDICTS.index("no_mask")] == 5


def test_sizes_that_are_not_said_are_read_from_the_images(tmp_path: Path) -> None:
    coco = plain_export()
    for image in coco["images"]:
        del image["width"], image["height"]

    first, _ = read_photographs(write(tmp_path, coco)).photographs

    assert (first.width, first.height) == (60, 40)


def test_a_category_that_only_says_face_is_read_as_unjudged(tmp_path: Path) -> None:
    coco = plain_export()
    coco["categories"][0]["name"] = "face"

    assert read_photographs(write(tmp_path, coco)).photographs[0].labels[0] == UNJUDGED


def _in_image(**fields: object) -> Callable[[Coco], None]:
    return lambda coco: coco["images"][0].update(fields)


def _in_annotation(**fields: object) -> Callable[[Coco], None]:
    return lambda coco: coco["annotations"][0].update(fields)


@pytest.mark.parametrize(
    ("damage", "names", "mend"),
    [
        (_in_image(file_name="gone.png"), r"gone\.png", "put it there"),
        (_in_image(file_name="../../etc/passwd"), "passwd", "not inside"),
        (_in_image(id=8), r"annotations\.json", "id of its own"),
        (_in_annotation(bbox=[50, 5, 20, 30]), r"a\.png.*\[50\.0, 5\.0, 20\.0, 30\.0\]", "clip"),
        (_in_annotation(bbox=[10, 5, 0, 30]), r"a\.png", "no area"),
        (_in_annotation(bbox=[10, 5, 20]), r"annotations\.json.*annotations\.0\.bbox", "mend"),
        (_in_annotation(image_id=99), r"annotations\.json.*image 99", "add the image"),
        (_in_annotation(category_id=99), r"annotations\.json.*category 99", "mend"),
        (lambda coco: coco["categories"][0].update(name="dog"), "'dog'", "rename it"),
        (lambda coco: coco["annotations"].clear(), r"annotations\.json", "add labelled faces"),
        (lambda coco: coco["images"].clear(), r"annotations\.json", "empty set"),
        (lambda coco: coco.pop("images"), r"annotations\.json.*images", "export it again"),
    ],
)
def test_a_set_that_cannot_be_used_names_the_file_and_the_mend(
    tmp_path: Path, damage: Callable[[Coco], None], names: str, mend: str
) -> None:
    coco = plain_export()
    damage(coco)

    with pytest.raises(DataError, match=f"(?s){names}.*{mend}|{mend}.*{names}"):
        read_photographs(write(tmp_path, coco))


def test_a_box_over_the_edge_by_rounding_is_clipped(tmp_path: Path) -> None:
    coco = plain_export()
    coco["annotations"][0]["bbox"] = [-0.4, 5, 20, 30]

    assert read_photographs(write(tmp_path, coco)).photographs[0].boxes[0].tolist() == [
        0,
        5,
        pytest.approx(19.6),
        35,
    ]


@pytest.mark.parametrize("text", ["{", "[]", ""])
def test_broken_json_names_the_file(tmp_path: Path, text: str) -> None:
    folder = write(tmp_path, plain_export())
    (folder / "annotations.json").write_text(text)

    with pytest.raises(DataError, match=r"annotations\.json is not COCO"):
        read_photographs(folder)


def test_a_folder_that_is_no_set_says_what_one_is(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"annotations\.json cannot be read.*images/"):
        read_photographs(tmp_path / "nowhere")


def test_a_truncated_image_is_named_when_it_is_read(tmp_path: Path) -> None:
    folder = write(tmp_path, plain_export())
    (folder / "images" / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")

    with pytest.raises(DataError, match=r"a\.png cannot be decoded.*replace it"):
        read_photographs(folder).photographs[0].read()


def test_an_image_of_another_size_than_annotated_is_refused(tmp_path: Path) -> None:
    coco = plain_export()
    coco["images"][1].update(width=120, height=80)

    with pytest.raises(DataError, match=r"b\.png is 60x40, but its annotations say 120x80"):
        read_photographs(write(tmp_path, coco)).photographs[1].read()
