"""What the classifier learns from: faces joined with a detector's, and their variations."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from contract.people.verdicts import JUDGED_VERDICTS
from face_detector.annotate import annotate
from face_detector.detection import Detections
from models.coco import read_photographs
from models.crops import crop_faces
from models.labelled_faces import (
    DetectedFace,
    FacePatch,
    LabelledFace,
    cut_patches,
    match_faces,
    report,
    split_by_cluster,
)
from models.training import occluders
from models.training.augmentation import augment, plain
from models.training.face_frame import FaceFrame, can_be_painted
from models.training.painted_masks import Worn, paint_mask

MASK, INCORRECT, NO_MASK = range(3)
LANDMARKS = np.array([[40, 40], [80, 40], [60, 62], [45, 80], [75, 80]], np.float32)
"""A frontal face: the person's right eye, left eye, nose tip, right and left mouth corner."""
SKIN = np.full((140, 120, 3), (90, 120, 190), np.uint8)


def write_data(
    folder: Path, faces: list[dict[str, Any]], detected: dict[str, list[DetectedFace]]
) -> list[LabelledFace]:
    """One photograph per face, as COCO, read and joined with a detector's faces."""
    (folder / "images").mkdir()
    coco: dict[str, Any] = {
        "categories": [
            {"id": 1, "name": "mask"},
            {"id": 2, "name": "no_mask"},
            {"id": 3, "name": "incorrect"},
        ],
        "images": [],
        "annotations": [],
    }
    for number, face in enumerate(faces):
        name = f"{number}.png"
        picture = np.full((300, 400, 3), 40 + number, np.uint8)
        cv2.imwrite(str(folder / "images" / name), picture)
        image = {"source": "s", "cluster": str(number), "flags": []} | face["image"]
        coco["images"].append(
            {"id": number, "file_name": name, "width": 400, "height": 300, **image}
        )
        coco["annotations"].append(
            {"image_id": number, "category_id": face["category"], "bbox": face["bbox"]}
        )
    (folder / "annotations.json").write_text(json.dumps(coco))
    return match_faces(read_photographs(folder).photographs, detected)


def found(*box: float) -> DetectedFace:
    return DetectedFace(np.array(box, np.float32), 0.9, LANDMARKS)


def test_labelled_faces_meet_the_detectors_boxes_where_they_overlap(tmp_path: Path) -> None:
    near, far, head = read = write_data(
        tmp_path,
        [
            {"image": {}, "category": 1, "bbox": [100, 100, 50, 60]},
            {"image": {}, "category": 3, "bbox": [100, 100, 50, 60]},
            {"image": {"flags": ["headbox"]}, "category": 2, "bbox": [50, 50, 200, 240]},
        ],
        {
            "0.png": [found(0, 0, 10, 10), found(104, 98, 150, 158)],
            "1.png": [found(140, 150, 190, 210)],
            "2.png": [found(100, 120, 180, 220)],
        },
    )

    assert [face.label for face in read] == [MASK, INCORRECT, NO_MASK]
    assert near.detector_box.tolist() == [104, 98, 150, 158]
    assert [box.tolist() for box in near.boxes] == [[104, 98, 150, 158], [100, 100, 150, 160]]
    assert far.detector_box is None
    assert far.boxes[0].tolist() == [100, 100, 150, 160]
    assert [box.tolist() for box in head.boxes] == [[100, 120, 180, 220]]
    assert "| s | 1 | 1 | 1 | 0 | 2 |" in report(read)


def test_near_duplicates_never_end_up_on_both_sides(tmp_path: Path) -> None:
    faces = write_data(
        tmp_path,
        [
            {"image": {"cluster": str(number // 4)}, "category": 1, "bbox": [10, 10, 20, 20]}
            for number in range(80)
        ],
        {},
    )

    training, held_out = split_by_cluster(faces, 0.4)

    assert len(training) + len(held_out) == len(faces)
    assert training
    assert held_out
    assert not {face.cluster for face in training} & {face.cluster for face in held_out}


def test_a_patch_shows_the_face_where_the_photograph_did(tmp_path: Path) -> None:
    (face,) = write_data(tmp_path, [{"image": {}, "category": 1, "bbox": [0, 100, 250, 180]}], {})
    photograph = np.random.default_rng(1).integers(0, 256, (300, 400, 3), np.uint8)
    photograph = cv2.GaussianBlur(photograph, (0, 0), 6)
    cv2.imwrite(str(tmp_path / "images" / "0.png"), photograph)

    (patch,) = cut_patches([face])

    assert max(patch.image.shape) <= 320
    direct = crop_faces(photograph, face.boxes[0][None], margin=0.15, size=64)[0]
    through_patch = plain(patch, margin=0.15, size=64)
    assert np.abs(direct.astype(int) - through_patch).mean() < 2


def test_augmenting_keeps_size_and_type_and_follows_the_seed(tmp_path: Path) -> None:
    (face,) = write_data(tmp_path, [{"image": {}, "category": 3, "bbox": [100, 100, 50, 60]}], {})
    (patch,) = cut_patches([face])

    views = [augment(patch, np.random.default_rng(i), margin=0.15, size=48) for i in range(60)]

    assert {(crop.shape, crop.dtype.name, label) for crop, label in views} == {
        ((48, 48, 3), "uint8", INCORRECT)
    }
    again, _ = augment(patch, np.random.default_rng(3), margin=0.15, size=48)
    np.testing.assert_array_equal(again, views[3][0])


def test_a_bare_face_with_landmarks_sometimes_becomes_a_masked_one(tmp_path: Path) -> None:
    (face,) = write_data(
        tmp_path,
        [{"image": {}, "category": 2, "bbox": [30, 20, 60, 80]}],
        {"0.png": [found(30, 20, 90, 100)]},
    )
    (patch,) = cut_patches([face])
    rng = np.random.default_rng(5)

    labels = [augment(patch, rng, margin=0.15, size=32)[1] for _ in range(200)]

    assert set(labels) == {MASK, INCORRECT, NO_MASK}
    assert labels.count(NO_MASK) > 110


@pytest.mark.parametrize(
    ("worn", "nose", "mouth", "eyes"),
    [
        ("proper", True, True, False),
        ("under_nose", False, True, False),
        ("under_mouth", False, False, False),
        ("under_chin", False, False, False),
        ("over_eyes", False, False, True),
    ],
)
def test_a_painted_mask_covers_what_its_label_says_and_nothing_else(
    worn: Worn, nose: bool, mouth: bool, eyes: bool
) -> None:
    for seed in range(20):
        painted = paint_mask(SKIN, LANDMARKS, np.random.default_rng(seed), worn=worn)
        changed = (painted != SKIN).any(axis=2)
        assert changed.any()
        assert bool(changed[62, 60]) is nose
        assert bool(changed[82, 60]) is mouth
        assert bool(changed[34, 60]) is eyes


@pytest.mark.parametrize(("painter", "chance"), occluders.ON_MASKED_FACES)
def test_what_is_painted_on_any_face_leaves_nose_and_mouth_to_be_seen(
    painter: Callable[..., None], chance: float
) -> None:
    assert 0 < chance < 0.2
    for seed in range(20):
        painted = SKIN.copy()
        painter(painted, FaceFrame(LANDMARKS), np.random.default_rng(seed))
        changed = (painted != SKIN).any(axis=2)
        assert changed.any()
        assert changed[60:84, 52:68].mean() < 0.35


@pytest.mark.parametrize(("painter", "chance"), occluders.ON_BARE_FACES)
def test_nothing_painted_breaks_on_a_face_at_the_images_edge(
    painter: Callable[..., None], chance: float
) -> None:
    for seed in range(10):
        for shift in (-70, 90):
            image = SKIN.copy()
            moved = LANDMARKS + np.float32(shift)
            painter(image, FaceFrame(moved), np.random.default_rng(seed))
            assert image.shape == SKIN.shape


def test_small_and_turned_faces_are_not_painted() -> None:
    turned = LANDMARKS.copy()
    turned[2, 0] = 84

    assert can_be_painted(LANDMARKS)
    assert not can_be_painted(LANDMARKS / 5)
    assert not can_be_painted(turned)
    assert not can_be_painted(None)


def test_labels_and_sizes_are_drawn_in_fixed_shares(tmp_path: Path) -> None:
    batches = pytest.importorskip("models.training.batches", reason="needs Keras")
    sides = [10] * 30 + [30] * 5 + [100] * 5
    faces = write_data(
        tmp_path,
        [
            {"image": {}, "category": category, "bbox": [50, 50, side, side]}
            for category in (1, 2, 3)
            for side in sides
        ],
        {},
    )
    patches = [FacePatch(np.zeros((1, 1, 3), np.uint8), face.boxes, None, face) for face in faces]

    odds = batches.draw_odds(patches)

    labels = np.array([face.label for face in faces])
    small = np.array([face.longer_side_px for face in faces]) < 24
    for label, name in enumerate(JUDGED_VERDICTS):
        assert odds[labels == label].sum() == pytest.approx(batches.LABEL_SHARES[name])
    for label in (MASK, NO_MASK):
        share = odds[(labels == label) & small].sum() / odds[labels == label].sum()
        assert share == pytest.approx(batches.SIZE_SHARES[0])


class CountingDetector:
    name = "counting"
    device = "cpu"
    sure_score = 0.6

    def __init__(self) -> None:
        self.frames = 0

    def detect(self, frames: list[Any]) -> list[Detections]:
        self.frames += len(frames)
        boxes = np.array([[10, 20, 60, 80]], np.float32)
        return [Detections(boxes, np.array([0.8], np.float32), LANDMARKS[None])] * len(frames)


def test_a_detectors_faces_are_found_once_and_then_read(tmp_path: Path) -> None:
    write_data(tmp_path, [{"image": {}, "category": 1, "bbox": [10, 20, 50, 60]}] * 3, {})
    photographs = read_photographs(tmp_path).photographs
    detector, cache = CountingDetector(), tmp_path / "new" / "faces.json"

    first = annotate(photographs, detector, cache)
    again = annotate(photographs, detector, cache)

    assert detector.frames == 3
    assert list(first) == list(again) == ["0.png", "1.png", "2.png"]
    np.testing.assert_array_equal(first["1.png"][0].box, again["1.png"][0].box)
    np.testing.assert_array_equal(again["1.png"][0].landmarks, LANDMARKS)


def test_other_photographs_or_a_damaged_cache_are_looked_at_anew(tmp_path: Path) -> None:
    write_data(tmp_path, [{"image": {}, "category": 1, "bbox": [10, 20, 50, 60]}] * 3, {})
    photographs = read_photographs(tmp_path).photographs
    detector, cache = CountingDetector(), tmp_path / "faces.json"
    annotate(photographs, detector, cache)

    cv2.imwrite(str(photographs[0].path), np.zeros((300, 400, 3), np.uint8))
    annotate(photographs, detector, cache)
    assert detector.frames == 6
    cache.write_text(cache.read_text()[:50])
    annotate(photographs, detector, cache)
    assert detector.frames == 9
    annotate(photographs, detector, cache, "another width")
    assert detector.frames == 12
