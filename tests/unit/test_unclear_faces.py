"""Faces that nobody can judge: corrected labels, painted views, and the network's fourth output."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from contract.errors import DataError, ModelFormatError
from contract.people.verdicts import VERDICTS
from models.coco import Photograph
from models.labelled_faces import FacePatch, LabelledFace, cut_patches
from models.training.augmentation import augment
from models.training.relabelling import CHANGES_PATH, Change, read_changes, relabel
from models.training.unclear_faces import ON_BARE_FACES, paint_unclear

MASK, INCORRECT, NO_MASK, UNKNOWN = range(4)
BOX = np.array([30, 20, 90, 110], np.float32)
LANDMARKS = np.array([[40, 40], [80, 40], [60, 62], [45, 80], [75, 80]], np.float32)
SKIN = np.full((140, 120, 3), (90, 120, 190), np.uint8)
NOISE = np.random.default_rng(0).integers(0, 256, SKIN.shape, np.uint8)


def photograph(name: str = "one.png", folder: Path = Path("somewhere")) -> Photograph:
    return Photograph(
        id=1,
        file_name=name,
        path=folder / name,
        width=120,
        height=140,
        source="s",
        cluster=name,
        flags=frozenset(),
        boxes=BOX[None],
        labels=np.array([NO_MASK]),
        crowds=np.array([False]),
    )


def labelled(picture: Photograph, label: int = NO_MASK) -> LabelledFace:
    return LabelledFace(picture, label, BOX, BOX, LANDMARKS, 0.9)


def test_the_list_of_changes_is_whole_and_says_each_face_once() -> None:
    changes = read_changes()

    assert {change.old for change in changes} >= {None, MASK, NO_MASK}
    assert all(change.old != change.new and change.reason for change in changes)
    assert all((change.box[2:] > change.box[:2]).all() for change in changes)
    assert len({(c.file_name, *c.box.tolist()) for c in changes}) == len(changes)


def test_a_change_corrects_a_labelled_face_or_adds_one() -> None:
    one, other = photograph(), photograph("other.png")
    added = BOX + np.float32(20)
    changes = [
        Change("one.png", BOX + np.float32(0.04), NO_MASK, INCORRECT, "nose out"),
        Change("other.png", added, None, UNKNOWN, "a hand"),
        Change("not here.png", BOX, MASK, NO_MASK, "another set's"),
    ]

    faces = relabel([one, other], [labelled(one), labelled(other)], changes)

    assert [face.label for face in faces] == [INCORRECT, NO_MASK, UNKNOWN]
    assert faces[2].photograph is other
    assert faces[2].boxes[0].tolist() == added.tolist()


@pytest.mark.parametrize("change", [{"old": MASK}, {"box": BOX + np.float32(9)}])
def test_a_change_of_a_face_that_is_not_there_is_refused(change: dict[str, object]) -> None:
    one = photograph()
    row = replace(Change("one.png", BOX, NO_MASK, INCORRECT, "nose out"), **change)  # type: ignore[arg-type]

    with pytest.raises(DataError, match=r"one\.png has no face labelled"):
        relabel([one], [labelled(one)], [row])


def test_a_damaged_row_is_named(tmp_path: Path) -> None:
    header, row, *_ = CHANGES_PATH.read_text().splitlines()
    path = tmp_path / "changes.csv"
    path.write_text(f"{header}\n{row}\n{row.replace('unknown', 'perhaps')}\n")

    with pytest.raises(DataError, match="row 3 is damaged"):
        read_changes(path)


@pytest.mark.parametrize("painter", [painter for painter, _ in ON_BARE_FACES])
def test_what_makes_a_face_unclear_covers_its_mouth(painter: object) -> None:
    from models.training.face_frame import FaceFrame

    covered = []
    for seed in range(12):
        painted = NOISE.copy()
        painter(painted, FaceFrame(LANDMARKS), np.random.default_rng(seed), SKIN)  # type: ignore[operator]
        covered.append((painted[78:82, 58:62] != NOISE[78:82, 58:62]).mean() > 0.8)

    assert np.mean(covered) > 0.7


def test_a_face_that_cannot_be_painted_by_landmarks_is_by_its_box() -> None:
    painted = paint_unclear(NOISE, BOX, None, np.random.default_rng(1), elsewhere=SKIN, bare=True)

    assert painted.shape == NOISE.shape
    assert (painted != NOISE).any()


def test_a_face_made_unclear_is_labelled_unknown_and_others_never_are() -> None:
    face = labelled(photograph())
    patch = FacePatch(SKIN, face.boxes, LANDMARKS, face)

    def labels(elsewhere: np.ndarray | None) -> set[int]:
        generators = (np.random.default_rng(seed) for seed in range(40))
        return {
            augment(patch, rng, margin=0.15, size=32, elsewhere=elsewhere)[1] for rng in generators
        }

    assert labels(NOISE) == {UNKNOWN}
    assert UNKNOWN not in labels(None)


def test_faces_of_several_sets_are_cut_from_their_own_photographs(tmp_path: Path) -> None:
    faces = []
    for name, shade in (("a", 10), ("b", 200)):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "one.png"), np.full((140, 120, 3), shade, np.uint8))
        faces.append(labelled(photograph(folder=tmp_path / name)))

    shades = {int(patch.image.mean()) for patch in cut_patches(faces)}

    assert shades == {10, 200}


def test_a_network_with_a_fourth_output_still_gives_its_three_verdicts(tmp_path: Path) -> None:
    pytest.importorskip("keras", reason="needs Keras, which is not installed")
    from models.training.network import build_network
    from models.training.recipe import Recipe
    from models.training.refine import with_four_outputs

    recipe = replace(Recipe(), network="small", input_size=32)
    three = build_network(None, input_size=32, network="small")
    three.save(tmp_path / "three.keras")
    crops = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3)).astype(np.float32)

    logits = np.asarray(with_four_outputs(tmp_path / "three.keras", recipe)(crops))

    assert logits.shape == (4, len(VERDICTS))
    np.testing.assert_allclose(logits[:, :3], np.asarray(three(crops)), atol=1e-5)
    with pytest.raises(ModelFormatError, match="cannot be refined"):
        with_four_outputs(tmp_path / "three.keras", replace(recipe, alpha=0.5))


def test_the_first_blocks_and_the_rest_are_the_whole_network() -> None:
    pytest.importorskip("keras", reason="needs Keras, which is not installed")
    from models.training.network import build_network
    from models.training.refine import split_network

    model = build_network(None, input_size=32, alpha=0.35, outputs=len(VERDICTS))
    crops = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.float32)

    front, tail = split_network(model, "block_12_add")

    np.testing.assert_allclose(
        np.asarray(tail(np.asarray(front(crops)))), np.asarray(model(crops)), atol=1e-4
    )
