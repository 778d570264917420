"""Finds and verifies the network files that Maskwatch knows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from contract.errors import ModelChecksumError, ModelFormatError, ModelNotFoundError, SettingsError

WEIGHTS_DIR: Final = Path(__file__).resolve().parent / "weights"
DETECTOR_WEIGHTS_DIR: Final = Path(__file__).resolve().parents[1] / "face_detector" / "weights"
"""The files that ship with Maskwatch: the classifier and the face detector."""

CLASSIFIER_CARD: Final = "mask_classifier.json"
DETECTOR_CARD: Final = "face_detector.json"
"""Beside a shipped network: its labels, its recipe's constants, its files' checksums."""


@dataclass(frozen=True, slots=True)
class NetworkFile:
    """One file of one network. `url` is None if the file is not published."""

    name: str
    file_name: str
    sha256: str
    size_bytes: int
    purpose: str
    terms: str
    url: str | None = None


EXTERNAL_FILES: Final = (
    NetworkFile(
        "yunet",
        "face_detection_yunet_2023mar.onnx",
        "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
        232_589,
        "face detector `yunet`",
        "MIT, from OpenCV Zoo",
        "https://media.githubusercontent.com/media/opencv/opencv_zoo/main/models/"
        "face_detection_yunet/face_detection_yunet_2023mar.onnx",
    ),
    NetworkFile(
        "ssd-caffe",
        "res10_300x300_ssd_iter_140000.caffemodel",
        "2a56a11a57a4a295956b0660b4a3d76bbdca2206c4961cea8efe7d95c7cb2f2d",
        10_666_211,
        "face detector `ssd`, Caffe weights",
        "as OpenCV's",
        "https://raw.githubusercontent.com/opencv/opencv_3rdparty/"
        "dnn_samples_face_detector_20170830/res10_300x300_ssd_iter_140000.caffemodel",
    ),
    NetworkFile(
        "ssd-caffe-config",
        "res10_deploy.prototxt",
        "f62621cac923d6f37bd669298c428bb7ee72233b5f8c3389bb893e35ebbcf795",
        28_092,
        "face detector `ssd`, Caffe description",
        "as OpenCV's",
        "https://raw.githubusercontent.com/opencv/opencv/4.0.1/samples/dnn/face_detector/"
        "deploy.prototxt",
    ),
    NetworkFile(
        "ssd-caffe-reconstructed",
        "res10_reconstructed.caffemodel",
        "e033e1dcbdbd1fb6b2bd770cc7f507733d8da5aca30a69af8c1d524eabd4d174",
        10_653_802,
        "face detector `ssd`, Caffe weights put back together from the 8-bit ones",
        "as OpenCV's",
    ),
    NetworkFile(
        "ssd-tf",
        "res10_opencv_face_detector_uint8.pb",
        "5c71d752ef2cbf2f457ac82fdd580fcb2522fd04c5efdaed18eb6d9e2843fbed",
        2_727_750,
        "face detector `ssd`, 8-bit TensorFlow weights",
        "as OpenCV's",
        "https://raw.githubusercontent.com/opencv/opencv_3rdparty/"
        "dnn_samples_face_detector_20180220_uint8/opencv_face_detector_uint8.pb",
    ),
    NetworkFile(
        "ssd-tf-config",
        "res10_opencv_face_detector.pbtxt",
        "2e2c720657684a43c7c99f321cd872138aa3e68cb036f6103c1d8a4f732608e0",
        34_911,
        "face detector `ssd`, TensorFlow description",
        "as OpenCV's",
        "https://raw.githubusercontent.com/opencv/opencv_extra/4.x/testdata/dnn/"
        "opencv_face_detector.pbtxt",
    ),
    NetworkFile(
        "mobilenet-v2-imagenet",
        "mobilenet_v2_imagenet_notop.weights.h5",
        "e1f116adb61abcac75550c989dab888ec983bce14d89805526864c58b90b394f",
        9_451_088,
        "where the mask classifier's training begins",
        "Apache-2.0",
    ),
)
"""Files from other publishers. The SHA-256 of the Caffe weights is the one that all users quote."""


def known_files() -> tuple[NetworkFile, ...]:
    """Every network file: from other publishers first, then those that ship with Maskwatch."""
    return (*EXTERNAL_FILES, *_shipped_files())


def known_file(name: str) -> NetworkFile:
    """Return the file with that name; raise SettingsError if there is none."""
    for file in known_files():
        if file.name == name:
            return file
    names = ", ".join(file.name for file in known_files())
    raise SettingsError(f"no network file is called {name!r}; there are: {names}")


def search_dirs(models_dir: Path | None) -> list[Path]:
    """Return the folders to search for a network file. The first file found wins.

    In order: `models_dir` if given; `state/models` under the current folder, where
    `maskwatch models pull` puts files by default; the folders that ship with Maskwatch; and
    `../shared/weights` beside a source checkout, where that exists.
    """
    beside_checkout = Path(__file__).resolve().parents[1].parent / "shared" / "weights"
    folders = [models_dir] if models_dir is not None else []
    folders += [Path("state") / "models", WEIGHTS_DIR, DETECTOR_WEIGHTS_DIR]
    return folders + ([beside_checkout] if beside_checkout.is_dir() else [])


def locate(file: NetworkFile, models_dir: Path | None) -> Path | None:
    """Return the path of a file, unverified, or None."""
    for folder in search_dirs(models_dir):
        path = folder / file.file_name
        if path.is_file():
            return path
    return None


def find_model(name: str, models_dir: Path | None = None) -> Path:
    """Return the verified path of a known network file.

    Raises ModelNotFoundError if no searched folder has the file, ModelChecksumError if the first
    match has another content.
    """
    file = known_file(name)
    path = locate(file, models_dir)
    if path is None:
        raise _not_found([file], models_dir)
    verify(path, file)
    return path


def find_first(alternatives: Sequence[Sequence[str]], models_dir: Path | None) -> list[Path]:
    """Return the verified paths of the first complete group of files."""
    groups = [[known_file(name) for name in names] for names in alternatives]
    for group in groups:
        if all(locate(file, models_dir) for file in group):
            return [find_model(file.name, models_dir) for file in group]
    pullable = next(group for group in groups if all(file.url for file in group))
    raise _not_found(pullable, models_dir)


def verify(path: Path, file: NetworkFile) -> None:
    """Raise ModelChecksumError unless the file has the published sha256.

    Each process hashes an unchanged file only once.
    """
    state = path.stat()
    actual = _sha256(path.resolve(), state.st_mtime_ns, state.st_size)
    if actual != file.sha256:
        raise ModelChecksumError(
            f"{path} is not the published {file.name!r}: expected sha256 {file.sha256}, found "
            f"{actual}; delete it and run `maskwatch models pull {file.name}`"
        )


@lru_cache(maxsize=64)
def _sha256(path: Path, _mtime_ns: int, _size: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _not_found(files: Sequence[NetworkFile], models_dir: Path | None) -> ModelNotFoundError:
    wanted = " and ".join(f"{file.name!r} ({file.file_name})" for file in files)
    folders = ", ".join(str(folder.absolute()) for folder in search_dirs(models_dir))
    return ModelNotFoundError(
        f"network file {wanted} is in none of: {folders}; run "
        f"`maskwatch models pull {' '.join(file.name for file in files)}`"
    )


def _shipped_files() -> tuple[NetworkFile, ...]:
    """Return the networks that ship with Maskwatch. Their checksums change with every training."""
    cards = (
        (WEIGHTS_DIR / CLASSIFIER_CARD, "mask classifier"),
        (DETECTOR_WEIGHTS_DIR / DETECTOR_CARD, "face detector (default)"),
    )
    return tuple(file for card, purpose in cards for file in _files_on(card, purpose))


def _files_on(card: Path, purpose: str) -> list[NetworkFile]:
    if not card.is_file():
        return []
    try:
        entries = json.loads(card.read_text(encoding="utf-8"))["files"]
        terms = "as Maskwatch, see MODEL_CARD.md"
        return [NetworkFile(purpose=purpose, terms=terms, **entry) for entry in entries]
    except (ValueError, KeyError, TypeError) as error:
        raise ModelFormatError(f"{card} does not describe the shipped {purpose}") from error
