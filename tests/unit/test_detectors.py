from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import onnx
import pytest

from contract.errors import ModelFormatError, ModelNotFoundError, SettingsError
from face_detector.anchors import anchors, decode, suppress
from face_detector.detection import Detections, clip_boxes
from face_detector.loading import DETECTORS, load_detector
from face_detector.maskwatch_detector import MaskwatchDetector
from face_detector.spec import INPUT
from face_detector.ssd import SsdDetector
from face_detector.yunet import YuNetDetector
from models.files import DETECTOR_WEIGHTS_DIR

Frame = npt.NDArray[np.uint8]
SHIPPED = DETECTOR_WEIGHTS_DIR / "face_detector.onnx"


@pytest.fixture(scope="module")
def weights() -> Path:
    folder = Path(__file__).resolve().parents[2].parent / "shared" / "weights"
    if not folder.is_dir():
        pytest.skip("needs the networks of ../shared, which are not here")
    return folder


@pytest.fixture
def yunet(weights: Path) -> YuNetDetector:
    return YuNetDetector(weights / "face_detection_yunet_2023mar.onnx", threads=1)


@pytest.fixture(scope="module")
def astronaut() -> Frame:
    """A public-domain portrait: 512x512 BGR, one face around (175..270, 60..190)."""
    data = pytest.importorskip("skimage.data")
    return np.ascontiguousarray(data.astronaut()[..., ::-1])


def photographs(shared: Path, wanted: Iterable[tuple[int, int]]) -> list[Frame]:
    """One validation photograph of each (height, width)."""
    coco = json.loads((shared / "data/val/annotations.json").read_text())
    sizes = {(image["height"], image["width"]): image["file_name"] for image in coco["images"]}
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    paths = [shared / "data/val/images" / sizes[size] for size in wanted]
    return [np.asarray(cv2.imread(str(path), flags), np.uint8) for path in paths]


def silent(height: int, width: int) -> npt.NDArray[np.float32]:
    """A network's answer for an input of that size without any face."""
    return np.zeros((len(anchors(height, width)), 16), np.float32)


def assert_same_faces(one: Detections, other: Detections) -> None:
    assert len(one) == len(other)
    np.testing.assert_allclose(one.boxes, other.boxes, atol=0.01)
    np.testing.assert_allclose(one.scores, other.scores, atol=1e-4)


def test_an_anchor_decodes_to_a_box_around_its_offset_centre() -> None:
    rows = silent(64, 96)
    cell = 64 // 8 * (96 // 8) + 1 * (96 // 16) + 2  # row 1, column 2 of the stride-16 grid
    rows[cell, :2] = 0.81, 1.0
    rows[cell, 2:6] = [0.5, 0.25, np.log(2), np.log(3)]
    rows[cell, 6:8] = [1.0, -0.5]

    boxes, scores, landmarks = decode(rows, (64, 96), score_threshold=0.6)

    centre_x, centre_y = (2 + 0.5) * 16, (1 + 0.25) * 16
    expected = [centre_x - 16, centre_y - 24, centre_x + 16, centre_y + 24]
    np.testing.assert_allclose(boxes, [expected], rtol=1e-6)
    np.testing.assert_allclose(scores, [0.9], rtol=1e-6)
    np.testing.assert_allclose(landmarks[0, 0], [(2 + 1.0) * 16, (1 - 0.5) * 16])
    assert boxes.dtype == scores.dtype == landmarks.dtype == np.float32


def test_an_anchor_below_the_threshold_decodes_to_nothing() -> None:
    rows = silent(64, 96)
    rows[5, :2] = 0.5

    assert len(decode(rows, (64, 96), score_threshold=0.51)[0]) == 0
    assert len(decode(rows, (64, 96), score_threshold=0.49)[0]) == 1


def test_of_overlapping_boxes_the_best_score_survives_and_comes_first() -> None:
    boxes = np.array([[0, 0, 10, 10], [100, 0, 120, 20], [1, 0, 11, 10]], np.float32)
    scores = np.array([0.7, 0.8, 0.9], np.float32)

    assert suppress(boxes, scores, 0.6).tolist() == [2, 1]


def test_boxes_are_clipped_to_the_frame() -> None:
    boxes = np.array([[-5, -1, 700, 20], [10, 350, 20, 400]], np.float32)

    assert clip_boxes(boxes, 640, 360).tolist() == [[0, 0, 640, 20], [10, 350, 20, 360]]


def test_yunet_finds_the_same_faces_as_opencvs_own_wrapper(weights: Path, shared: Path) -> None:
    path = weights / "face_detection_yunet_2023mar.onnx"
    found = 0
    for frame in photographs(shared, [(480, 640), (320, 640), (640, 640)]):
        ours = YuNetDetector(path, score_threshold=0.6).detect([frame])[0]
        theirs = cv2.FaceDetectorYN.create(str(path), "", frame.shape[1::-1], 0.6, 0.3, 5000)
        rows = theirs.detect(frame)[1]
        rows = rows[np.argsort(-rows[:, -1])]
        boxes = np.hstack([rows[:, :2], rows[:, :2] + rows[:, 2:4]])
        np.testing.assert_allclose(
            ours.boxes, clip_boxes(boxes, frame.shape[1], frame.shape[0]), atol=0.01
        )
        np.testing.assert_allclose(ours.scores, rows[:, 14], atol=1e-4)
        assert ours.landmarks is not None
        np.testing.assert_allclose(ours.landmarks.reshape(-1, 10), rows[:, 4:14], atol=0.01)
        found += len(ours)
    assert found >= 3


@pytest.mark.parametrize("batch_size", [None, 2, 16])
def test_yunet_finds_in_a_mixed_batch_what_it_finds_frame_by_frame(
    weights: Path, yunet: YuNetDetector, shared: Path, batch_size: int | None
) -> None:
    frames = photographs(shared, [(480, 640), (640, 640), (320, 640)])
    frames += [frames[0][:, ::-1].copy(), frames[0], np.zeros((360, 640, 3), np.uint8)]
    path = weights / "face_detection_yunet_2023mar.onnx"

    batch = YuNetDetector(path, threads=1, batch_size=batch_size).detect(frames)

    assert len(batch) == len(frames)
    assert len(batch[-1]) == 0
    for together, frame in zip(batch, frames, strict=True):
        assert_same_faces(together, yunet.detect([frame])[0])


def test_yunets_boxes_are_in_the_pixels_of_the_frame_given(
    yunet: YuNetDetector, astronaut: Frame
) -> None:
    small, large = yunet.detect([astronaut, cv2.resize(astronaut, (1280, 1280))])

    assert len(small) == len(large) == 1
    np.testing.assert_allclose(small.boxes * 2.5, large.boxes, atol=8)
    x_min, y_min, x_max, y_max = small.boxes[0]
    assert x_min < 223 < x_max
    assert y_min < 120 < y_max
    assert small.landmarks is not None
    right_eye, left_eye, nose = small.landmarks[0, :3]
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_eye[1] < nose[1]


def test_yunet_survives_frames_without_faces_without_pixels_and_of_odd_shapes(
    yunet: YuNetDetector,
) -> None:
    shapes = [(1, 1, 3), (0, 10, 3), (3, 700, 3), (700, 3, 3)]

    found = yunet.detect([np.zeros(shape, np.uint8) for shape in shapes])

    assert [len(faces) for faces in found] == [0, 0, 0, 0]
    assert yunet.detect([]) == []


def test_what_ships_finds_the_astronaut_with_landmarks_in_any_batch(astronaut: Frame) -> None:
    frames = [astronaut, np.zeros((360, 640, 3), np.uint8), cv2.resize(astronaut, (1280, 1280))]
    alone = MaskwatchDetector(SHIPPED, threads=1)

    small, nothing, large = MaskwatchDetector(SHIPPED, threads=1, batch_size=4).detect(frames)

    assert (len(small), len(nothing), len(large)) == (1, 0, 1)
    np.testing.assert_allclose(small.boxes * 2.5, large.boxes, atol=8)
    for frame, together in zip(frames, (small, nothing, large), strict=True):
        assert_same_faces(together, alone.detect([frame])[0])
    assert small.landmarks is not None
    right_eye, left_eye, nose = small.landmarks[0, :3]
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_eye[1] < nose[1]


def test_a_file_that_takes_bytes_as_the_first_ones_did_finds_the_same_faces(
    tmp_path: Path, astronaut: Frame
) -> None:
    network = onnx.load(str(SHIPPED))
    for node in network.graph.node:
        node.input[:] = ["pixels" if name == INPUT else name for name in node.input]
    cast = onnx.helper.make_node("Cast", [INPUT], ["pixels"], to=onnx.TensorProto.FLOAT)
    network.graph.node.insert(0, cast)
    network.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.UINT8
    older = tmp_path / "older.onnx"
    onnx.save(network, str(older))
    frames = [astronaut, astronaut[:300]]
    for now, then in zip(
        MaskwatchDetector(SHIPPED, threads=1).detect(frames),
        MaskwatchDetector(older, threads=1).detect(frames),
        strict=True,
    ):
        assert len(now) == 1
        assert_same_faces(now, then)


def test_what_ships_says_what_it_is_and_serves_with_its_own_threshold(astronaut: Frame) -> None:
    detector = MaskwatchDetector(SHIPPED, threads=1)

    assert 0.3 <= detector.spec.score_threshold <= 0.8
    assert "andrewmvd: 582 photographs" in detector.spec.training_data
    score = float(detector.detect([astronaut])[0].scores[0])
    assert len(MaskwatchDetector(SHIPPED, score_threshold=score + 0.01).detect([astronaut])[0]) == 0
    assert SHIPPED.stat().st_size < 3_000_000


def test_a_network_that_is_not_ours_is_refused_by_name(weights: Path) -> None:
    with pytest.raises(ModelFormatError, match=r"yunet_2023mar\.onnx does not say.*export"):
        MaskwatchDetector(weights / "face_detection_yunet_2023mar.onnx")


@pytest.mark.parametrize(
    ("network", "description"),
    [
        ("res10_reconstructed.caffemodel", "res10_deploy.prototxt"),
        ("res10_opencv_face_detector_uint8.pb", "res10_opencv_face_detector.pbtxt"),
    ],
    ids=["caffe", "tensorflow"],
)
def test_ssd_finds_the_astronaut_in_both_of_its_forms(
    weights: Path, astronaut: Frame, network: str, description: str
) -> None:
    detector = SsdDetector(weights / network, weights / description)
    wide = cv2.copyMakeBorder(astronaut, 0, 0, 0, 200, cv2.BORDER_CONSTANT)

    nothing, face, shifted = detector.detect([np.zeros((90, 160, 3), np.uint8), astronaut, wide])

    assert len(nothing) == 0
    for found in (face, shifted):
        assert len(found) == 1
        assert found.scores[0] > 0.9
        x_min, y_min, x_max, y_max = found.boxes[0]
        assert 150 < x_min < 223 < x_max < 300
        assert 40 < y_min < 120 < y_max < 220
        assert_same_faces(found, detector.detect([wide if found is shifted else astronaut])[0])
    assert face.landmarks is None


def test_every_named_detector_loads_and_says_its_name(weights: Path, astronaut: Frame) -> None:
    for name in DETECTORS:
        detector = load_detector(name, models_dir=weights, device="cpu", threads=1)
        assert (detector.name, detector.device) == (name, "cpu")
        assert len(detector.detect([astronaut])[0]) == 1


def test_an_unknown_detector_is_refused_with_the_known_names() -> None:
    with pytest.raises(SettingsError, match=r"maskwatch, yunet, ssd, not 'retina'"):
        load_detector("retina")


def test_a_missing_network_says_where_it_was_looked_for_and_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.files.search_dirs", lambda models_dir: [models_dir])

    with pytest.raises(ModelNotFoundError) as caught:
        load_detector("yunet", models_dir=tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "maskwatch models pull yunet" in str(caught.value)

    with pytest.raises(ModelNotFoundError, match="pull ssd-caffe ssd-caffe-config"):
        load_detector("ssd", models_dir=tmp_path)


def test_a_file_that_is_no_yunet_is_refused_by_name(tmp_path: Path, weights: Path) -> None:
    rubbish = tmp_path / "rubbish.onnx"
    rubbish.write_bytes(b"<!doctype html>")

    with pytest.raises(ModelFormatError, match=r"rubbish\.onnx"):
        YuNetDetector(rubbish)
    with pytest.raises(ModelFormatError, match="is not YuNet"):
        YuNetDetector(weights / "RFB-640-masked_face-v2.onnx")
    with pytest.raises(ModelFormatError, match="caffemodel"):
        SsdDetector(rubbish, rubbish)


def test_our_detector_is_surer_than_its_threshold_before_a_track_begins() -> None:
    assert load_detector("maskwatch").sure_score == pytest.approx(0.75)
    assert load_detector("maskwatch", score_threshold=0.85).sure_score == pytest.approx(0.9)
    assert load_detector("maskwatch", score_threshold=0.95).sure_score == pytest.approx(0.95)


def test_a_wide_input_keeps_a_close_up_in_one_piece_and_each_face_once(astronaut: Frame) -> None:
    close_up = cv2.resize(astronaut[50:220, 140:310], (1280, 1280), interpolation=cv2.INTER_CUBIC)
    wide_alone = MaskwatchDetector(SHIPPED, threads=1)
    wide_alone.near_width_px = None
    wide = MaskwatchDetector(SHIPPED, threads=1)

    [pieces], [whole] = (one.detect([close_up], 1280) for one in (wide_alone, wide))
    ordinary, nothing = wide.detect([astronaut, np.zeros((360, 640, 3), np.uint8)], 960)

    assert (len(pieces), len(whole)) == (2, 1)
    assert float(pieces.scores.max()) < 0.8 < float(whole.scores[0])
    assert float(np.prod(whole.boxes[0, 2:] - whole.boxes[0, :2])) > 700**2
    assert whole.landmarks is not None
    assert (len(ordinary), len(nothing)) == (1, 0)


@pytest.mark.parametrize("width", [320, 640, 700, 960, 1280])
def test_a_width_asked_for_is_as_good_as_the_detectors_own(astronaut: Frame, width: int) -> None:
    own = MaskwatchDetector(SHIPPED, threads=1, input_width=width)
    asked = MaskwatchDetector(SHIPPED, threads=1)
    assert_same_faces(asked.detect([astronaut], width)[0], own.detect([astronaut])[0])


def test_a_wide_input_gives_lower_scores_and_keeps_to_the_threshold(astronaut: Frame) -> None:
    plain = MaskwatchDetector(SHIPPED, threads=1, score_threshold=0.3)
    plain.near_width_px = None
    [before] = plain.detect([astronaut], 1280)
    [face] = MaskwatchDetector(SHIPPED, threads=1, score_threshold=0.3).detect([astronaut], 1280)
    threshold = float(face.scores[0]) + 0.001
    strict = MaskwatchDetector(SHIPPED, threads=1, score_threshold=threshold)

    assert float(face.scores[0]) < max(float(before.scores[0]), 0.999)
    assert len(strict.detect([astronaut], 1280)[0]) == 0
