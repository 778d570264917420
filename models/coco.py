"""Photographs with labelled faces, read strictly from a folder in COCO layout.

A set consists of `images/` and `annotations.json` (COCO: `images`, `annotations`, `categories`).
Beyond plain COCO, an image may have a `source`, a `cluster` (near-duplicates share one) and
`flags`: `incomplete_bg` (some faces have no box), `headbox` (boxes are whole heads), `synthetic`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, ValidationError

from contract.errors import DataError
from contract.people.verdicts import JUDGED_VERDICTS

READ_FLAGS: Final = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
"""Flag that ignores EXIF's rotation, because boxes are in the pixels as stored."""
OUTSIDE_TOLERANCE_PX: Final = 1.0
"""Most pixels by which a box may exceed its image, because of rounding; the box is then clipped."""
UNJUDGED: Final = -1
"""Label of a face with a category that does not mention a mask."""
CATEGORY_LABELS: Final = {
    "mask": JUDGED_VERDICTS.index("mask"),
    "with_mask": JUDGED_VERDICTS.index("mask"),
    "incorrect": JUDGED_VERDICTS.index("incorrect"),
    "incorrect_mask": JUDGED_VERDICTS.index("incorrect"),
    "mask_weared_incorrect": JUDGED_VERDICTS.index("incorrect"),
    "no_mask": JUDGED_VERDICTS.index("no_mask"),
    "without_mask": JUDGED_VERDICTS.index("no_mask"),
    "face": UNJUDGED,
}
"""Labels by category name, with the spellings of public sets."""


@dataclass(frozen=True, slots=True, eq=False)
class Photograph:
    """One image and its labelled faces, in file order.

    boxes: (N, 4) float32 xyxy pixels inside the image. labels: (N,) int64 indices of
    `JUDGED_VERDICTS`, or `UNJUDGED`. crowds: (N,) bool, whether a box holds many faces
    (COCO's `iscrowd`), so that it counts neither as found nor as missed.
    """

    id: int
    file_name: str
    path: Path
    width: int
    height: int
    source: str
    cluster: str
    flags: frozenset[str]
    boxes: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]
    crowds: npt.NDArray[np.bool_]

    def read(self) -> npt.NDArray[np.uint8]:
        """Return the pixels, (H, W, 3) uint8 BGR; DataError if the file differs from its entry."""
        image = _decode(self.path)
        if image.shape[:2] != (self.height, self.width):
            raise DataError(
                f"{self.path} is {image.shape[1]}x{image.shape[0]}, but its annotations say "
                f"{self.width}x{self.height}: its boxes would be wrong; export the annotations "
                "for the images as they are (read without turning them by EXIF)"
            )
        return image


@dataclass(frozen=True, slots=True, eq=False)
class PhotographSet:
    """A folder's photographs, and its own ids of the labels, for writing COCO results."""

    folder: Path
    photographs: tuple[Photograph, ...]
    category_ids: dict[int, int]

    @property
    def images_dir(self) -> Path:
        return self.folder / "images"

    @property
    def annotations_path(self) -> Path:
        return self.folder / "annotations.json"


def read_photographs(folder: Path) -> PhotographSet:
    """Read a set, and check everything except the pixels.

    A plain COCO export works: the default source is the folder's name, the default cluster is the
    image itself, and there are no flags by default.

    Raises:
        DataError: JSON is broken or of another form, an image is missing, a category is unknown,
            a box lies outside its image or has no area, an id is used twice or points nowhere, or
            the set has no image or no face. The error names the file and the remedy.
    """
    where = folder / "annotations.json"
    coco = _parse(where)
    labels = _category_labels(coco, where)
    by_image = _by_image(coco, where)
    _check_files(folder / "images", coco, where)
    photographs = tuple(
        _photograph(image, by_image[image.id], labels, folder) for image in coco.images
    )
    ids = {label: number for number, label in reversed(labels.items())}
    return PhotographSet(folder, photographs, ids)


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Image(_Part):
    id: int
    file_name: str
    width: int | None = None
    height: int | None = None
    source: str | None = None
    cluster: str | None = None
    flags: frozenset[str] = frozenset()


class _Annotation(_Part):
    image_id: int
    category_id: int
    bbox: tuple[float, float, float, float]
    iscrowd: bool = False


class _Category(_Part):
    id: int
    name: str


class _Coco(_Part):
    images: tuple[_Image, ...]
    annotations: tuple[_Annotation, ...]
    categories: tuple[_Category, ...]


def _parse(where: Path) -> _Coco:
    try:
        coco = _Coco.model_validate_json(where.read_bytes())
    except OSError as error:
        raise DataError(
            f"{where} cannot be read ({error.strerror}); a set is a folder with images/ and "
            "annotations.json (COCO)"
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise DataError(
            f"{where} is not COCO: {place}: {first['msg']} ({error.error_count()} such places); "
            "export it again, or mend that entry"
        ) from error
    if not coco.images or not coco.annotations:
        raise DataError(
            f"{where} has {len(coco.images)} images and {len(coco.annotations)} annotations: an "
            "empty set; add labelled faces"
        )
    return coco


def _category_labels(coco: _Coco, where: Path) -> dict[int, int]:
    """Label by category id."""
    labels = {}
    for category in coco.categories:
        label = CATEGORY_LABELS.get(category.name.strip().lower().replace(" ", "_"))
        if label is None:
            raise DataError(
                f"{where} has the unknown category {category.name!r}, expected one of "
                f"{', '.join(CATEGORY_LABELS)}; rename it, or remove it with its annotations"
            )
        labels[category.id] = label
    return labels


def _by_image(coco: _Coco, where: Path) -> dict[int, list[_Annotation]]:
    known = {image.id for image in coco.images}
    if len(known) < len(coco.images):
        raise DataError(f"{where} uses an image id twice; give every image an id of its own")
    categories = {category.id for category in coco.categories}
    by_image: dict[int, list[_Annotation]] = defaultdict(list)
    for number, annotation in enumerate(coco.annotations):
        if annotation.image_id not in known:
            raise DataError(
                f"{where}: annotations.{number} is for image {annotation.image_id}, which is not "
                "in the file; add the image or remove the annotation"
            )
        if annotation.category_id not in categories:
            raise DataError(
                f"{where}: annotations.{number} has the unknown category "
                f"{annotation.category_id}, expected one of {sorted(categories)}; mend the "
                "annotation or add the category"
            )
        by_image[annotation.image_id].append(annotation)
    return by_image


def _check_files(images: Path, coco: _Coco, where: Path) -> None:
    root = images.resolve()
    for image in coco.images:
        if not (images / image.file_name).resolve().is_relative_to(root):
            raise DataError(f"{where} names {image.file_name!r}, which is not inside {images}")
    missing = [name for name in (i.file_name for i in coco.images) if not (images / name).is_file()]
    if missing:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise DataError(
            f"{images / missing[0]}{more} is missing, though {where} lists it; put it there, or "
            "remove its entry and its annotations"
        )


def _photograph(
    image: _Image, annotations: Sequence[_Annotation], labels: dict[int, int], folder: Path
) -> Photograph:
    path = folder / "images" / image.file_name
    width, height = image.width, image.height
    if width is None or height is None:
        height, width = _decode(path).shape[:2]
    return Photograph(
        id=image.id,
        file_name=image.file_name,
        path=path,
        width=width,
        height=height,
        source=image.source or folder.resolve().name,
        cluster=image.cluster or image.file_name,
        flags=image.flags,
        boxes=_boxes(annotations, (width, height), path),
        labels=np.array([labels[a.category_id] for a in annotations], np.int64),
        crowds=np.array([a.iscrowd for a in annotations], np.bool_),
    )


def _boxes(
    annotations: Sequence[_Annotation], size: tuple[int, int], path: Path
) -> npt.NDArray[np.float32]:
    """Boxes as xyxy, clipped to the image's (width, height)."""
    boxes = np.array([a.bbox for a in annotations], np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    limits = np.array(size * 2, np.float32)
    clipped = np.clip(boxes, np.float32(0), limits)
    flat = (clipped[:, 2:] <= clipped[:, :2]).any(axis=1) | ~np.isfinite(boxes).all(axis=1)
    bad = flat | (np.abs(boxes - clipped) > OUTSIDE_TOLERANCE_PX).any(axis=1)
    if bad.any():
        raise DataError(
            f"{path} is {size[0]}x{size[1]}, but has the box {_as_list(annotations, bad)} "
            "(x, y, width, height), which lies outside of it or has no area; clip the box to the "
            "image, or remove it"
        )
    return np.asarray(clipped, np.float32)


def _as_list(annotations: Sequence[_Annotation], bad: npt.NDArray[np.bool_]) -> list[Any]:
    return list(annotations[int(np.argmax(bad))].bbox)


def _decode(path: Path) -> npt.NDArray[np.uint8]:
    image = cv2.imread(str(path), READ_FLAGS)
    if image is None:
        raise DataError(
            f"{path} cannot be decoded as an image; replace it with a whole JPEG or PNG, or remove "
            "its entry from annotations.json"
        )
    return np.asarray(image, np.uint8)
