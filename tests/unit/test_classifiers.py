from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import onnx
import pytest

from contract.errors import ModelFormatError, ModelNotFoundError, SettingsError
from contract.people.verdicts import JUDGED_VERDICTS
from models.crops import crop_faces
from models.files import WEIGHTS_DIR
from models.loading import load_classifier
from models.mask_classifier import SURE, ClassifierSpec, MaskClassifier
from models.onnx_classifier import OnnxMaskClassifier

Crops = npt.NDArray[np.uint8]
ASTRONAUT_BOX = np.array([[177, 64, 270, 192]], np.float32)
"""Her face in scikit-image's public-domain portrait, in pixels."""
MASK, INCORRECT, NO_MASK = range(3)
SPEC = ClassifierSpec(("no_mask", "mask", "incorrect"), "RGB", 128, 0.15, 2.0, 0.8)


@pytest.fixture(scope="module")
def classifier() -> MaskClassifier:
    return load_classifier("onnx", device="cpu", threads=1)


@pytest.fixture(scope="module")
def astronaut() -> Crops:
    data = pytest.importorskip("skimage.data")
    return np.ascontiguousarray(data.astronaut()[..., ::-1])


def crop(classifier: MaskClassifier, frame: Crops, boxes: npt.NDArray[np.float32]) -> Crops:
    return crop_faces(frame, boxes, margin=classifier.margin, size=classifier.input_size)


def with_surgical_mask(portrait: Crops, upper_edge: int) -> Crops:
    """The astronaut with a light-blue mask from a height in pixels down to her chin."""
    masked = portrait.copy()
    outline = [(185, upper_edge), (223, upper_edge - 6), (262, upper_edge)]
    outline += [(258, 165), (240, 190), (222, 196), (204, 190), (188, 165)]
    cv2.fillPoly(masked, [np.array(outline, np.int32)], (225, 200, 150), cv2.LINE_AA)
    return masked


def validation_faces(shared: Path, label: int, count: int) -> list[tuple[Crops, list[float]]]:
    """The largest validation faces of a category: (photograph, xyxy box)."""
    coco = json.loads((shared / "data/val/annotations.json").read_text())
    names = {image["id"]: image["file_name"] for image in coco["images"]}
    category = {c["name"]: c["id"] for c in coco["categories"]}[JUDGED_VERDICTS[label]]
    chosen = [a for a in coco["annotations"] if a["category_id"] == category]
    chosen.sort(key=lambda a: a["area"], reverse=True)
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    faces = []
    for annotation in chosen[:count]:
        path = shared / "data/val/images" / names[annotation["image_id"]]
        x, y, width, height = annotation["bbox"]
        image = np.asarray(cv2.imread(str(path), flags), np.uint8)
        faces.append((image, [x, y, x + width, y + height]))
    return faces


def golden_crops(classifier: MaskClassifier, shared: Path, label: int, count: int) -> Crops:
    faces = validation_faces(shared, label, count)
    return np.concatenate(
        [crop(classifier, image, np.array([box], np.float32)) for image, box in faces]
    )


def test_a_bare_face_is_judged_no_mask(classifier: MaskClassifier, astronaut: Crops) -> None:
    probabilities = classifier.classify(crop(classifier, astronaut, ASTRONAUT_BOX))

    assert probabilities.shape == (1, 4)
    assert probabilities.dtype == np.float32
    assert classifier.labels[probabilities[0].argmax()] == "no_mask"
    assert probabilities[0, NO_MASK] > 0.8


def test_a_mask_drawn_over_nose_and_mouth_is_judged_mask(
    classifier: MaskClassifier, astronaut: Crops
) -> None:
    masked = with_surgical_mask(astronaut, upper_edge=118)

    probabilities = classifier.classify(crop(classifier, masked, ASTRONAUT_BOX))

    assert classifier.labels[probabilities[0].argmax()] == "mask"


def test_a_mask_drawn_under_the_nose_is_judged_incorrect(
    classifier: MaskClassifier, astronaut: Crops
) -> None:
    lowered = with_surgical_mask(astronaut, upper_edge=149)

    probabilities = classifier.classify(crop(classifier, lowered, ASTRONAUT_BOX))

    assert classifier.labels[probabilities[0].argmax()] == "incorrect"


def test_real_faces_of_each_label_are_judged_so_which_guards_the_label_order(
    classifier: MaskClassifier, shared: Path
) -> None:
    for label, at_least in ((MASK, 19), (INCORRECT, 15), (NO_MASK, 19)):
        crops = golden_crops(classifier, shared, label, 20)
        hits = int((classifier.classify(crops).argmax(axis=1) == label).sum())
        assert hits >= at_least, JUDGED_VERDICTS[label]


def test_faces_in_their_own_colours_are_judged_more_surely_which_guards_the_colour_order(
    classifier: MaskClassifier, shared: Path
) -> None:
    labels = [label for label in (MASK, INCORRECT, NO_MASK) for _ in range(25)]
    crops = np.concatenate(
        [golden_crops(classifier, shared, label, 25) for label in (MASK, INCORRECT, NO_MASK)]
    )

    def mean_loss(some: Crops) -> float:
        return float(-np.log(classifier.classify(some)[range(len(labels)), labels]).mean())

    assert mean_loss(crops) < mean_loss(np.ascontiguousarray(crops[..., ::-1]))


def test_a_batch_is_judged_like_its_crops_one_by_one(
    classifier: MaskClassifier, astronaut: Crops
) -> None:
    boxes = ASTRONAUT_BOX + np.array([[0.0], [15.0], [-30.0], [200.0]], np.float32)
    crops = crop(classifier, astronaut, boxes)

    together = classifier.classify(crops)

    one_by_one = np.concatenate([classifier.classify(one[None]) for one in crops])
    np.testing.assert_allclose(together, one_by_one, atol=1e-5)
    np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-5)


def test_no_crops_give_no_probabilities(classifier: MaskClassifier) -> None:
    size = classifier.input_size

    assert classifier.classify(np.zeros((0, size, size, 3), np.uint8)).shape == (0, 4)


def test_crops_of_another_size_or_type_are_refused(classifier: MaskClassifier) -> None:
    size = classifier.input_size

    with pytest.raises(ValueError, match="crops must be"):
        classifier.classify(np.zeros((1, 64, 64, 3), np.uint8))
    with pytest.raises(ValueError, match="float32"):
        classifier.classify(np.zeros((1, size, size, 3), np.float32))  # type: ignore[arg-type]


def test_tensorflow_and_onnx_runtime_agree(
    classifier: MaskClassifier, astronaut: Crops, shared: Path
) -> None:
    pytest.importorskip("tensorflow", reason="needs TensorFlow, which is not installed")
    other = load_classifier("tensorflow", device="cpu")
    size = classifier.input_size
    random = np.random.default_rng(7).integers(0, 256, (16, size, size, 3), np.uint8)
    real = [golden_crops(classifier, shared, label, 8) for label in (MASK, INCORRECT, NO_MASK)]
    crops = np.concatenate([random, crop(classifier, astronaut, ASTRONAUT_BOX), *real])

    assert (other.labels, other.input_size, other.margin) == (
        classifier.labels,
        classifier.input_size,
        classifier.margin,
    )
    np.testing.assert_allclose(other.classify(crops), classifier.classify(crops), atol=1e-3)
    assert other.classify(crops[:0]).shape == (0, 4)


def test_the_files_of_both_runtimes_record_the_same_spec() -> None:
    network = onnx.load(str(WEIGHTS_DIR / "mask_classifier.onnx"))
    in_onnx = {entry.key: entry.value for entry in network.metadata_props}
    beside_keras = json.loads((WEIGHTS_DIR / "mask_classifier.json").read_text())

    assert ClassifierSpec.from_metadata(in_onnx, "onnx") == ClassifierSpec.from_metadata(
        beside_keras, "keras"
    )


def test_probabilities_come_in_our_order_whatever_order_the_file_has() -> None:
    logits = np.array([[0.0, 4.0, 2.0]], np.float32)  # no_mask, mask, incorrect

    mask, incorrect, no_mask, unknown = SPEC.to_probabilities(logits)[0]

    assert mask > incorrect > no_mask
    assert unknown == 0  # this network has not learnt to say so
    assert np.log(mask / no_mask) == pytest.approx(4.0 / SPEC.temperature, rel=1e-4)


def test_a_network_may_say_that_a_face_cannot_be_judged() -> None:
    spec = ClassifierSpec(("unknown", "no_mask", "mask"), "RGB", 128, 0.15, 1.0)
    logits = np.array([[5.0, 1.0, 2.0]], np.float32)

    mask, incorrect, no_mask, unknown = spec.to_probabilities(logits)[0]

    assert unknown > mask > no_mask > incorrect == 0
    assert mask + no_mask + unknown == pytest.approx(1)


def test_an_unsure_face_and_its_mirror_image_get_the_mean_of_both_answers() -> None:
    asked: list[int] = []

    def brighter_side(crops: Crops) -> npt.NDArray[np.float32]:
        asked.append(len(crops))
        left, right = (side.mean(axis=(1, 2, 3)) for side in (crops[:, :, :64], crops[:, :, 64:]))
        return np.stack([left / 50, right / 50, np.zeros(len(crops))], axis=1).astype(np.float32)

    crops = np.zeros((3, 128, 128, 3), np.uint8)
    crops[0, :, :64] = 200
    crops[1, :, 64:] = 200
    crops[2, :, :64] = 255
    sharp = replace(SPEC, temperature=0.5, mirrored=True)  # so that only the last one is sure
    crops[:2] //= 2

    left, right, sure = sharp.judge(crops, brighter_side)

    assert asked == [3, 2]
    assert left.tolist() == pytest.approx(right.tolist())
    alone = replace(sharp, mirrored=False).judge(crops, brighter_side)
    assert left.tolist() == pytest.approx((alone[0] + alone[1]) / 2)
    assert sure.tolist() == alone[2].tolist()
    assert sure.max() > SURE


def test_a_file_that_says_nothing_of_mirrors_is_never_asked_twice() -> None:
    metadata = SPEC.to_metadata()
    del metadata["mirrored"]

    assert not ClassifierSpec.from_metadata(metadata, "here").mirrored


@pytest.mark.parametrize("spec", [SPEC, replace(SPEC, mirrored=True)])
def test_a_spec_survives_its_metadata(spec: ClassifierSpec) -> None:
    assert ClassifierSpec.from_metadata(spec.to_metadata(), "here") == spec


def test_only_a_network_that_wants_rgb_gets_its_colours_turned() -> None:
    crops = np.zeros((1, 128, 128, 3), np.uint8)
    crops[..., 0] = 255
    wants_bgr = ClassifierSpec(SPEC.labels, "BGR", 128, 0.15, 1.0)

    assert SPEC.to_input(crops)[0, 0, 0].tolist() == [0, 0, 255]
    assert wants_bgr.to_input(crops)[0, 0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"format": "other/1"}, "expected metadata 'format'"),
        ({"labels": '["mask", "mask", "no_mask"]'}, "labels"),
        ({"labels": '["mask", "incorrect"]'}, "no_mask are needed"),
        ({"labels": '["mask", "no_mask", "dog"]'}, "dog"),
        ({"normalisation": "0..1"}, "normalisation '0..1'"),
        ({"outputs": "votes"}, "outputs 'votes'"),
        ({"threshold": "1.5"}, "out of range"),
        ({"labels": "not json"}, "unusable metadata"),
        ({"colour_order": "GRB"}, "colour order"),
        ({"temperature": "0"}, "out of range"),
        ({"margin": "wide"}, "unusable metadata"),
        ({"mirrored": "perhaps"}, "unusable metadata"),
    ],
)
def test_metadata_that_cannot_be_trusted_are_refused(
    change: dict[str, str], complaint: str
) -> None:
    with pytest.raises(ModelFormatError, match=complaint):
        ClassifierSpec.from_metadata(SPEC.to_metadata() | change, "some.onnx")


def test_a_file_of_two_labels_never_says_incorrect() -> None:
    two = ClassifierSpec(("no_mask", "mask"), "RGB", 224, 0.0, 1.0, outputs="probabilities")

    (row,) = two.to_probabilities(np.array([[0.3, 0.7]], np.float32))

    assert row.tolist() == pytest.approx([0.7, 0.0, 0.3, 0.0])


def test_labels_may_be_spelt_as_in_the_demo() -> None:
    metadata = SPEC.to_metadata() | {"labels": '["without_mask", "with_mask"]'}

    assert ClassifierSpec.from_metadata(metadata, "here").labels == ("no_mask", "mask")


def test_a_file_that_records_no_threshold_gets_the_first_weights_one() -> None:
    metadata = SPEC.to_metadata()
    del metadata["threshold"]

    assert ClassifierSpec.from_metadata(metadata, "here").threshold == 0.7


def tiny_network(path: Path, metadata: dict[str, str], side: int = 128) -> Path:
    """An ONNX file with metadata, and a network that only passes its crops on."""
    uint8 = onnx.TensorProto.UINT8
    crops = onnx.helper.make_tensor_value_info("crops", uint8, ["n", side, side, 3])
    same = onnx.helper.make_tensor_value_info("same", uint8, ["n", side, side, 3])
    node = onnx.helper.make_node("Identity", ["crops"], ["same"])
    graph = onnx.helper.make_graph([node], "tiny", [crops], [same])
    network = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8
    )
    onnx.helper.set_model_props(network, metadata)
    onnx.save(network, str(path))
    return path


def test_an_onnx_file_without_our_metadata_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tiny_network(tmp_path / "foreign.onnx", {})

    with pytest.raises(ModelFormatError, match=r"foreign\.onnx.*maskwatch export classifier"):
        OnnxMaskClassifier(path)


def test_an_onnx_file_whose_input_contradicts_its_metadata_is_refused(tmp_path: Path) -> None:
    path = tiny_network(tmp_path / "small.onnx", SPEC.to_metadata(), side=96)

    with pytest.raises(ModelFormatError, match=r"expected one input of uint8 \(N, 128, 128, 3\)"):
        OnnxMaskClassifier(path)


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "page.onnx"
    path.write_text("<!doctype html>")

    with pytest.raises(ModelFormatError, match=r"page\.onnx"):
        load_classifier("onnx", path=path)


def test_what_cannot_be_loaded_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match=r"nowhere\.onnx"):
        load_classifier("onnx", path=tmp_path / "nowhere.onnx")
    with pytest.raises(SettingsError, match="onnx, tensorflow, not 'torch'"):
        load_classifier("torch")
    with pytest.raises(SettingsError, match="auto, cpu, cuda, not 'tpu'"):
        load_classifier("onnx", device="tpu")
