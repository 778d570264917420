"""A record of every look that could be had at every face of the real clips.

python -m benchmarks.truth.looks [--clips NAME ...] [--folder out/looks]

The worker's detector and tracker run over each clip at each of `films.RATES`, and every face of
every frame is classified, without any budget. For each clip and rate `CLIP-FPS.npz` has one row a
look and `CLIP-crops.npz` the crops that the classifier saw (JPEG). How a verdict is made of looks
changes neither, so that rules for verdicts can be tried on these files alone: each look says whose
face it is, and how the mask is worn there, by eye. Crops show people: they stay in `out/`.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.scenes.clip_truth import ClipTruth, clip_truths
from benchmarks.system import ROOT
from benchmarks.truth.films import BEGIN_S, RATES, ClipFrame, clip_names, frames, sampled
from benchmarks.truth.matching import assign, there
from benchmarks.truth.memory import Memory, remembering
from models.crops import crop_faces
from runtime.settings import load_settings
from worker.networks import Networks
from worker.tracking.people import why_nobody
from worker.tracking.track import Track
from worker.tracking.tracker import Tracker
from worker.verdicts.evidence import frontality_of, sharpness_of

Array = npt.NDArray[Any]
Columns = dict[str, Any]

FOLDER: Final = ROOT / "out" / "looks"
JPEG_QUALITY: Final = 92


@dataclass(frozen=True)
class Seen:
    """All faces of a clip, in the order of its frames."""

    size: tuple[int, int]
    """Width and height of a frame in pixels."""
    times_s: npt.NDArray[np.float64]
    """`(frames,)` seconds since the first."""
    looks: Columns
    """One row a face. `frame` `(n,)`; `box` `(n, 4)`; `score` `(n,)`; `landmarks` `(n, 5, 2)`;
    `height_px`, `sharpness`, `frontality` `(n,)`; `probabilities` `(n, 4)`."""
    jpegs: list[Array]
    """Of each row, the classifier's crop."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", nargs="+", default=clip_names())
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    options.folder.mkdir(parents=True, exist_ok=True)
    networks = remembering(load_settings(), Memory())
    for name in options.clips:
        started = time.monotonic()
        record(networks, name, options.folder)
        print(f"{name}: {time.monotonic() - started:.1f} s", flush=True)


def record(networks: Networks, name: str, folder: Path) -> None:
    """Write the files of one clip."""
    seen = look_at(networks, name)
    stem = name.removesuffix(".mp4")
    bounds = np.cumsum([0, *(len(jpeg) for jpeg in seen.jpegs)])
    everything = np.concatenate([np.zeros(0, np.uint8), *seen.jpegs])
    np.savez(folder / f"{stem}-crops.npz", jpegs=everything, bounds=bounds)
    sure = networks.sure_score(networks.detector_name(None))
    truths = {truth.clip: truth for truth in clip_truths()}
    for fps in RATES:
        looks = followed(seen, fps, sure)
        looks |= whose(truths[name], looks) if name in truths else {}
        np.savez_compressed(folder / f"{stem}-{fps:g}.npz", **looks)


def look_at(networks: Networks, name: str) -> Seen:
    """Find and classify every face of every frame."""
    rows: list[Columns] = []
    jpegs: list[Array] = []
    times_s, size = [], (0, 0)
    for frame in frames(name):
        times_s.append(frame.time_s)
        size = frame.image.shape[1], frame.image.shape[0]
        columns, crops = _faces(networks, frame)
        rows.append(columns)
        jpegs += [
            cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].ravel()
            for crop in crops
        ]
    looks = {column: np.concatenate([row[column] for row in rows]) for column in rows[0]}
    return Seen(size, np.array(times_s), looks, jpegs)


def _faces(networks: Networks, frame: ClipFrame) -> tuple[Columns, Array]:
    """Return the rows of one frame's faces, and their crops."""
    [found] = networks.detect(networks.detector_name(None), [frame.image])
    classifier, count = networks.classifier, len(found)
    crops = crop_faces(
        frame.image, found.boxes, margin=classifier.margin, size=classifier.input_size
    )
    marks = np.full((count, 5, 2), np.nan, np.float32)
    if found.landmarks is not None:
        marks = found.landmarks
    frontal = [frontality_of(None if found.landmarks is None else one) for one in marks]
    return {
        "frame": np.full(count, frame.number, np.int32),
        "box": found.boxes,
        "score": found.scores,
        "landmarks": marks,
        "height_px": found.boxes[:, 3] - found.boxes[:, 1],
        "sharpness": np.array([sharpness_of(crop) for crop in crops], np.float32),
        "frontality": np.array(frontal, np.float32),
        "probabilities": networks.classify(crops) if count else np.zeros((0, 4), np.float32),
    }, crops


def followed(seen: Seen, fps: float, sure: float) -> Columns:
    """Return the looks at `fps`, with their tracks.

    Beside the columns of `Seen`: `crop`, the row in the crops; `time_s`; `track`, 0 where a face
    is nobody's. `frames` and `frame_times_s` are all that were analysed; `sure_score` is the score
    from which the detector begins a track. `tracks` are the tracks'
    ids, and `nobody` says of each why it is not counted ("" if it is).
    """
    taken = np.flatnonzero(sampled(seen.times_s, fps))
    kept = np.flatnonzero(np.isin(seen.looks["frame"], taken))
    looks = {column: values[kept] for column, values in seen.looks.items()}
    track_of, ended = _follow(seen, taken, looks, sure)
    return {
        **looks,
        "crop": kept,
        "time_s": seen.times_s[looks["frame"]],
        "track": track_of,
        "frames": taken,
        "frame_times_s": seen.times_s[taken],
        "size": np.array(seen.size),
        "sure_score": np.array(sure),
        "tracks": np.array([track.id for track in ended], np.int64),
        "nobody": np.array([why_nobody(track, False) or "" for track in ended], "U12"),
    }


def whose(truth: ClipTruth, looks: Columns) -> Columns:
    """Return of each look `who` it is at ("" nobody) and the `state` of the mask in that frame.

    `unknown`: the eye cannot tell there. looks: with `frame` and `box`, as in `Seen`.
    """
    count = len(looks["frame"])
    who, state = [""] * count, ["unknown"] * count
    for number in np.unique(looks["frame"]):
        here = np.flatnonzero(looks["frame"] == number)
        people, boxes = there(truth, int(number))
        for column, row in assign(boxes, looks["box"][here].astype(np.float64)).items():
            person = people[row]
            span = person.span_at(int(number))
            who[here[column]] = person.who
            if span and span.judgeable:
                state[here[column]] = span.state
    return {"who": np.array(who, "U64"), "state": np.array(state, "U9")}


def _follow(seen: Seen, taken: Array, looks: Columns, sure: float) -> tuple[Array, list[Track]]:
    """Return the track of each look, and all tracks once they ended."""
    tracker, ended = Tracker(), list[Track]()
    track_of = np.zeros(len(looks["frame"]), np.int64)
    for number in taken:
        here = np.flatnonzero(looks["frame"] == number)
        time_s = BEGIN_S + float(seen.times_s[number])
        boxes, scores = looks["box"][here], looks["score"][here]
        whose, gone = tracker.update(boxes, time_s, seen.size, scores, sure)
        track_of[here] = [track.id if track else 0 for track in whose]
        ended += gone
    return track_of, ended + tracker.end_all()


if __name__ == "__main__":
    main()
