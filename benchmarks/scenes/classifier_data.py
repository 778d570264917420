"""Labelled faces of `../shared/data`, with the boxes of the detector that serves."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from benchmarks.system import ROOT, SHARED
from face_detector.annotate import annotate
from face_detector.loading import load_detector
from models.coco import read_photographs
from models.labelled_faces import LabelledFace, match_faces
from models.training.relabelling import read_changes, relabel
from runtime.settings import load_settings

OUT: Final = ROOT / "out" / "classifier"
LEAST_PX: Final = 24
"""The longer side of a face from which results are asked for."""


def labelled_faces(part: str) -> list[LabelledFace]:
    """All faces of "train", "more" or "val"; ends with a reason where the data are not."""
    folder = SHARED / "data" / part
    if not folder.is_dir():
        raise SystemExit(f"needs the photographs of ../shared/data/{part} beside the project")
    settings = load_settings()
    detector = load_detector(settings.detector, models_dir=settings.where_models_are)
    photographs = read_photographs(folder).photographs
    return match_faces(photographs, annotate(photographs, detector, faces_cache(part)))


def relabelled_faces(*parts: str) -> list[LabelledFace]:
    """All faces of "train", "more" or "val", corrected and completed by our list of changes."""
    faces = [face for part in parts for face in labelled_faces(part)]
    folders = [SHARED / "data" / part for part in parts]
    photographs = [one for folder in folders for one in read_photographs(folder).photographs]
    return relabel(photographs, faces, read_changes())


def faces_cache(part: str) -> Path:
    """Where the detector's faces of a set are kept between benchmarks."""
    return OUT / f"detector_faces_{part}.json"
