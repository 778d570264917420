"""Training the face detector: what is taught, what is not, and a run that survives a kill."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from contract.errors import ModelFormatError
from face_detector.anchors import STRIDES, anchors
from face_detector.detection import Detections
from maskwatch.cli import main
from models.coco import Photograph
from tests.faces_drawn import write_drawn_faces

keras = pytest.importorskip("keras", reason="needs Keras, which is not installed")

from face_detector.training.crops import make_crop, targets_of  # noqa: E402
from face_detector.training.lessons import Lesson, make_lessons, split_by_cluster  # noqa: E402
from face_detector.training.losses import DetectionLoss, pack_targets  # noqa: E402
from face_detector.training.network import build_network  # noqa: E402
from face_detector.training.onnx_graph import to_onnx  # noqa: E402
from face_detector.training.starting_weights import start_from  # noqa: E402

SIDE_PX = 96
NOWHERE = np.zeros((0, 4), np.float32)


def photograph(boxes: object, *flags: str, source: str = "here", cluster: str = "c") -> Photograph:
    array = np.array(boxes, np.float32).reshape(-1, 4)
    nothing = np.zeros(len(array), np.int64)
    return Photograph(
        id=1,
        file_name="a.png",
        path=Path("a.png"),
        width=200,
        height=160,
        source=source,
        cluster=cluster,
        flags=frozenset(flags),
        boxes=array,
        labels=nothing,
        crowds=nothing.astype(bool),
    )


def seen(*boxes_and_scores: tuple[list[float], float]) -> dict[str, Detections]:
    boxes = np.array([box for box, _ in boxes_and_scores], np.float32).reshape(-1, 4)
    scores = np.array([score for _, score in boxes_and_scores], np.float32)
    return {"a.png": Detections(boxes, scores, np.ones((len(boxes), 5, 2), np.float32))}


def test_a_labelled_face_that_the_detector_sees_takes_over_its_box_and_landmarks() -> None:
    [lesson] = make_lessons([photograph([[10, 10, 50, 60]])], seen(([12, 8, 48, 55], 0.4)))

    assert lesson.boxes.tolist() == [[12, 8, 48, 55]]
    assert np.isfinite(lesson.landmarks).all()


def test_one_that_it_does_not_see_is_drawn_as_its_sources_others_are() -> None:
    near = [photograph([[10, 10, 50, 60]]) for _ in range(12)]
    far = replace(photograph([[100, 100, 140, 150]]), file_name="b.png")

    lesson = make_lessons([*near, far], seen(([10, 5, 50, 55], 0.9)))[-1]

    assert lesson.boxes[0] == pytest.approx([100, 95, 140, 145])
    assert np.isnan(lesson.landmarks).all()


def test_unlabelled_faces_are_faces_or_gaps_by_score_where_labels_are_incomplete() -> None:
    found = seen(([100, 10, 120, 35], 0.9), ([140, 10, 160, 35], 0.4), ([170, 10, 190, 35], 0.2))

    [incomplete] = make_lessons([photograph([[10, 10, 50, 60]], "incomplete_bg")], found)
    [complete] = make_lessons([photograph([[10, 10, 50, 60]])], found)

    assert incomplete.boxes[:, 0].tolist() == [10, 100]
    assert incomplete.ignored[:, 0].tolist() == [140]
    assert complete.boxes[:, 0].tolist() == [10]
    assert complete.ignored[:, 0].tolist() == [100]


def test_a_heads_box_shrinks_to_the_face_and_a_synthetic_one_counts_less() -> None:
    [head] = make_lessons([photograph([[0, 0, 100, 100]], "headbox")], {})
    [seen_head] = make_lessons(
        [photograph([[0, 0, 100, 100]], "headbox")], seen(([25, 40, 75, 98], 0.8))
    )
    [synthetic] = make_lessons([photograph([[0, 0, 100, 100]], "synthetic")], {})

    assert head.boxes[0].tolist() == pytest.approx([12, 25, 88, 95])
    assert seen_head.boxes[0].tolist() == [25, 40, 75, 98]
    assert 0 < synthetic.weights[0] < head.weights[0] == 1


def test_near_duplicates_stay_on_one_side_of_the_split() -> None:
    photographs = [photograph([], cluster=f"cluster {n // 3}") for n in range(300)]

    training, held_out = split_by_cluster(photographs, 0.2)

    assert {p.cluster for p in training}.isdisjoint(p.cluster for p in held_out)
    assert 30 < len(held_out) < 90


def test_boxes_stay_on_their_faces_through_every_change_of_a_crop() -> None:
    image = np.full((160, 200, 3), 20, np.uint8)
    cv2.rectangle(image, (60, 40), (99, 89), (255, 255, 255), -1)
    box = np.array([[60, 40, 100, 90]], np.float32)
    lesson = Lesson(
        photograph(box),
        box,
        np.ones(1, np.float32),
        np.full((1, 5, 2), np.nan, np.float32),
        NOWHERE,
    )
    rng = np.random.default_rng(3)

    checked = 0
    for _ in range(40):
        piece = make_crop(lambda: (lesson, image), SIDE_PX, rng)
        assert piece.image.shape == (SIDE_PX, SIDE_PX, 3)
        for x_min, y_min, x_max, y_max in piece.boxes.round().astype(int):
            inside = piece.image[y_min:y_max, x_min:x_max].mean(axis=2)
            if min(inside.shape) >= 12:
                middle = inside[2:-2, 2:-2]
                assert middle.min() > 60, "part of the box lies beside the face"
                checked += 1
    assert checked > 30


def losses_of(outputs: np.ndarray, targets: np.ndarray) -> float:
    value = DetectionLoss(SIDE_PX)(targets[None], outputs[None])
    return float(keras.ops.convert_to_numpy(value)[0])


def one_face() -> np.ndarray:
    row = np.zeros((1, 16), np.float32)
    row[0, :5] = [1, 30, 30, 60, 66]
    return row


def silent() -> np.ndarray:
    outputs = np.zeros((len(anchors(SIDE_PX, SIDE_PX)), 16), np.float32)
    outputs[:, :2] = -8
    return outputs


def told() -> np.ndarray:
    """Outputs that say exactly where `one_face` is, at every anchor near its middle."""
    outputs, table = silent(), anchors(SIDE_PX, SIDE_PX)
    near = np.abs(table[:, :2] + table[:, 2:] / 2 - [45, 48]).max(axis=1) < 2.4 * table[:, 2]
    near &= table[:, 2] == STRIDES[1]
    outputs[near, :2] = 8
    outputs[near, 2:4] = (np.array([45, 48]) - table[near, :2]) / table[near, 2:]
    outputs[near, 4:6] = np.log(np.array([30, 36]) / table[near, 2:])
    return outputs


def test_finding_the_face_costs_least() -> None:
    targets = pack_targets(one_face(), NOWHERE, SIDE_PX, None)
    everywhere = told()
    everywhere[:, :2] = 8

    assert losses_of(told(), targets) < 0.3 * losses_of(silent(), targets)
    assert losses_of(told(), targets) < 0.3 * losses_of(everywhere, targets)


def test_what_is_found_in_an_ignored_region_is_not_punished() -> None:
    nobody = np.zeros((0, 16), np.float32)
    region = np.array([[0, 0, 96, 96]], np.float32)
    quiet = losses_of(silent(), pack_targets(nobody, region, SIDE_PX, None))

    assert losses_of(told(), pack_targets(nobody, region, SIDE_PX, None)) < quiet + 0.1
    assert losses_of(told(), pack_targets(nobody, NOWHERE, SIDE_PX, None)) > quiet + 10


def test_a_teachers_word_counts_where_nobody_labelled() -> None:
    nobody = np.zeros((0, 16), np.float32)
    everywhere = np.array([[0, 0, 96, 96]], np.float32)
    says_face = 1 / (1 + np.exp(-told()[:, :2]))

    agreed = losses_of(told(), pack_targets(nobody, everywhere, SIDE_PX, says_face))
    denied = losses_of(silent(), pack_targets(nobody, everywhere, SIDE_PX, says_face))

    assert agreed < 0.1 * denied


def test_faces_beyond_the_room_for_targets_are_ignored_not_background() -> None:
    boxes = np.tile(np.array([[20, 20, 60, 60]], np.float32), (50, 1))
    image = np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8)
    weights = np.ones(50, np.float32)
    landmarks = np.full((50, 5, 2), np.nan, np.float32)
    from face_detector.training.crops import Piece

    piece = Piece(image, boxes, weights, landmarks, NOWHERE)
    targets = targets_of(piece, np.random.default_rng(0), None)

    assert losses_of(told(), targets) < losses_of(silent(), targets)


def test_the_exported_network_answers_as_keras_does(tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    model = build_network()
    frames = np.random.default_rng(0).integers(0, 256, (2, 64, 96, 3), np.uint8)

    session_bytes = to_onnx(model, None).SerializeToString()
    from models.onnx_session import open_session

    [ours] = open_session(session_bytes, device="cpu", threads=1).run(
        None, {"frames": frames.transpose(0, 3, 1, 2).astype(np.float32)}
    )

    theirs = keras.ops.convert_to_numpy(model(frames.astype(np.float32)))
    np.testing.assert_allclose(ours.transpose(0, 2, 1), theirs, atol=1e-3)


def test_a_network_that_begins_with_yunets_weights_is_yunet(shared: Path) -> None:
    from face_detector.yunet import YuNetDetector

    path = shared / "weights" / "face_detection_yunet_2023mar.onnx"
    model = build_network()
    start_from(model, path)
    frames = np.random.default_rng(0).integers(0, 256, (1, 96, 128, 3), np.uint8)

    outputs = keras.ops.convert_to_numpy(model(frames.astype(np.float32)))
    [rows] = YuNetDetector(path, threads=1).run(frames.transpose(0, 3, 1, 2).astype(np.float32))

    np.testing.assert_allclose(outputs[0, :, 2:], rows[:, 2:], atol=1e-3)
    np.testing.assert_allclose(1 / (1 + np.exp(-outputs[0, :, :2])), rows[:, :2], atol=1e-4)


def test_another_network_is_no_beginning(tmp_path: Path) -> None:
    rubbish = tmp_path / "rubbish.onnx"
    rubbish.write_bytes(b"<!doctype html>")

    with pytest.raises(ModelFormatError, match=r"rubbish\.onnx"):
        start_from(build_network(), rubbish)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda coco: coco["images"][0].update(file_name="gone.png"), "gone.png"),
        (lambda coco: coco["annotations"][0].update(bbox=[90, 5, 40, 30]), "0.png"),
        (lambda coco: coco["annotations"][0].update(category_id=9), "unknown category 9"),
        (lambda coco: coco["annotations"].clear(), "empty set"),
    ],
    ids=["missing image", "box outside", "unknown category", "empty set"],
)
@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_bad_input_is_refused_by_the_name_of_its_file(
    tmp_path: Path, command: str, damage: object, said: str
) -> None:
    data = write_drawn_faces(tmp_path / "data", 2, side_px=96)
    coco = json.loads((data / "annotations.json").read_text())
    damage(coco)  # type: ignore[operator]
    (data / "annotations.json").write_text(json.dumps(coco))

    arguments = [command, "detector", "--data", str(data), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(main, arguments)

    assert result.exit_code == 2
    assert said in result.output
    assert "annotations.json" in result.output or said in {"0.png", "gone.png"}
