"""People counted in real clips against people counted by eye, and MOT metrics (C4).

python -m benchmarks.clip_people [--fps 5 10 0] [--detector NAME]

Runs the worker's own analyser (detector in use, tracker, votes) over each clip, faster than real
time; 0 frames a second is the clip's own rate. `benchmarks.scenes.clip_truth` says how the truth
was made.
Metrics are py-motmetrics' over faces: a match overlaps by more than 0.4, as in the other
benchmarks of detectors. Its own distance function needs NumPy 1 (release 1.4.0), so the overlaps
are computed here.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import av
import motmetrics
import numpy as np
import numpy.typing as npt

from benchmarks.scenes.clip_truth import ClipTruth, clip_truths
from benchmarks.scenes.offline import Analysed, analyse
from benchmarks.system import clip, machine, print_result
from benchmarks.truth.matching import LEAST_OVERLAP, assign, faces_of, overlaps, there
from contract.cameras.camera import make_camera
from contract.people.verdicts import VERDICTS
from runtime.settings import load_settings
from worker.networks import Networks, load_networks

Image = npt.NDArray[np.uint8]

BEGIN_S: Final = 1_790_000_000.0
METRICS: Final = {
    "num_objects": "true_faces",
    "num_misses": "missed",
    "num_false_positives": "false",
    "num_switches": "id_switches",
    "num_fragmentations": "fragmentations",
    "mota": "mota",
    "idf1": "idf1",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fps", type=float, nargs="+", default=[5.0, 10.0, 0.0])
    parser.add_argument("--detector", help="unset: the one in use")
    options = parser.parse_args()
    networks = load_networks(load_settings())
    detector = networks.detector_name(options.detector)
    print(f"detector {detector}, {machine()}")
    for truth in clip_truths():
        for fps in options.fps:
            measure(networks, detector, truth, fps or truth.fps)


def measure(networks: Networks, detector: str, truth: ClipTruth, fps: float) -> None:
    """Print what was counted in one clip at one rate, and how faces were followed."""
    camera = make_camera(name=truth.clip, source="demo:", detector=detector)
    seen = analyse(networks, sampled(truth, fps), camera)
    wanted, matched = follow(truth, seen)
    rate = f"{truth.clip.removesuffix('.mp4')} at {fps:g} fps"
    print(f"\n{rate}: {len(seen.people)} people counted, {truth.counted} by eye")
    for who, tracks in matched.items():
        print(f"  {who:44} {', '.join(f'#{t} {n}x' for t, n in tracks.most_common()) or 'never'}")
    verdicts = Counter(person.verdict for person in seen.people)
    states = Counter(person.state for person in truth.people if person.counts)
    figure = {
        "counted": len(seen.people),
        "by_eye": truth.counted,
        "counted_are": who_was_counted(truth, seen, matched),
        "counted_by_verdict": {v: verdicts[v] for v in VERDICTS if verdicts[v]},
        "by_eye_by_state": {v: states[v] for v in VERDICTS if states[v]},
        **wanted,
        "judged_right": judged_right(truth, seen, matched),
        "discarded": {
            name.partition(":")[2]: int(amount)
            for name, amount in seen.totals.items()
            if name.startswith("discarded:")
        },
    }
    print_result(f"C4 {rate}", figure, "people and faces", "printed", True)


def sampled(truth: ClipTruth, fps: float) -> Iterator[tuple[float, Image]]:
    """Yield times and frames of a clip at `fps`, in step with `frame_number`."""
    due = 0
    with av.open(str(clip(truth.clip))) as container:
        for number, frame in enumerate(container.decode(container.streams.video[0])):
            if number >= due * truth.fps / fps - 1e-6:
                due += 1
                image = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
                yield BEGIN_S + number / truth.fps, image


def follow(truth: ClipTruth, seen: Analysed) -> tuple[dict[str, Any], dict[str, Counter[int]]]:
    """Return the metrics, and for each person the tracks that followed them, with frames."""
    events = motmetrics.MOTAccumulator(auto_id=True)
    numbers = {person.who: number for number, person in enumerate(truth.people)}
    matched = {person.who: Counter[int]() for person in truth.people}
    for frame in seen.frames:
        number = round((frame.captured_at_s - BEGIN_S) * truth.fps)
        people, boxes = there(truth, number)
        names = [person.who for person in people]
        judgeable = [bool((span := p.span_at(number)) and span.judgeable) for p in people]
        tracks, found = faces_of(frame)
        overlap = overlaps(boxes, found)
        hits = [(row, column) for column, row in assign(boxes, found).items()]
        for row, column in hits:
            matched[names[row]][tracks[column]] += 1
        beside = {column for row, column in hits if not judgeable[row]}
        kept = [column for column in range(len(tracks)) if column not in beside]
        told = np.flatnonzero(judgeable)
        distance = 1.0 - overlap[told][:, kept]
        distance[distance >= 1.0 - LEAST_OVERLAP] = np.nan
        events.update(
            [numbers[names[row]] for row in told], [tracks[column] for column in kept], distance
        )
    summary = motmetrics.metrics.create().compute(events, metrics=list(METRICS), name="clip")
    return {
        title: round(float(summary[metric].iloc[0]), 3) for metric, title in METRICS.items()
    }, matched


def who_was_counted(
    truth: ClipTruth, seen: Analysed, matched: dict[str, Counter[int]]
) -> dict[str, int]:
    """What the counted people are: people by eye, the same again, people who do not count, nobody.

    Each counted track is whoever it followed for most frames.
    """
    counts = {person.who: person.counts for person in truth.people}
    found: Counter[str] = Counter()
    for person in seen.people:
        best = max(matched, key=lambda who: matched[who][person.track_id])
        found[best if matched[best][person.track_id] else ""] += 1
    people = {who: number for who, number in found.items() if counts.get(who)}
    return {
        "people": len(people),
        "again": sum(people.values()) - len(people),
        "turned_away": sum(number for who, number in found.items() if counts.get(who) is False),
        "nobody": found[""],
    }


def judged_right(truth: ClipTruth, seen: Analysed, matched: dict[str, Counter[int]]) -> str:
    """Of the people with a known state and a counted track, how many have the right verdict."""
    verdicts = {person.track_id: person.verdict for person in seen.people}
    right = told = 0
    for person in truth.people:
        tracks = [t for t, _ in matched.get(person.who, Counter()).most_common() if t in verdicts]
        if tracks and person.state != "unknown":
            told += 1
            right += verdicts[tracks[0]] == person.state
    return f"{right} of {told}"


if __name__ == "__main__":
    main()
