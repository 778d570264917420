"""Maskwatch's people in real clips against the people that an eye sees there (J1).

python -m benchmarks.truth [--clips NAME ...] [--paths live recording] [--fps 5 8 25] [--no-sheets]
                           [--detector-width 640|960|1280|auto]

Each clip goes through the worker's own analyser as the frames of a camera and as those of an
uploaded recording, at each rate. One line of JSON a clip, path and rate, then one summary a path
and rate. A counted track is whomever its boxes overlap for most frames:

split     counted more than once; `merged`, `missed`: counted as part of another, not at all
ghosts    counted, and no face of anybody
beside    counted, and somebody whom the eye cannot judge (far away, seen from behind): no error
others    verdicts of ghosts and of those beside, all of which enter the rate
told      tracks of people of whom the eye can tell; `right`, `unknown`, or wrong in some way
noticed   seconds until the screen shows a change of a mask; null: not before the next or the end

Networks answer from `out/truth/answers.sqlite` where they were asked before (`truth.memory`).
Contact sheets of every mistake go to `out/truth`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2

from benchmarks.scenes.clip_truth import ClipTruth, clip_truths
from benchmarks.system import ROOT, machine, print_result
from benchmarks.truth.films import RATES
from benchmarks.truth.memory import Memory, remembering
from benchmarks.truth.runs import PATHS, Way, analyse_clip
from benchmarks.truth.scores import ClipScore, summary
from benchmarks.truth.sheets import mistakes, write_sheet
from runtime.settings import load_settings
from worker.networks import Networks

FOLDER: Final = ROOT / "out" / "truth"
MOST: Final = {
    "rate_error": 0.05,
    "count_error_fixed": 0.05,
    "count_error_moving": 0.15,
    "bare_called_masked_share": 0.02,
    "masked_called_bare_share": 0.03,
    "unknown_share": 0.2,
}
"""The targets."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", nargs="+", help="unset: all that have been looked at")
    parser.add_argument("--paths", nargs="+", choices=list(PATHS), default=list(PATHS))
    parser.add_argument("--fps", type=float, nargs="+", default=list(RATES))
    parser.add_argument("--no-sheets", action="store_true", help="write no pictures")
    parser.add_argument("--detector-width", help="as a camera's option; unset: the setting")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    print(machine(), flush=True)
    started = time.monotonic()
    networks = remembering(load_settings(), Memory())
    ways = [Way(path, fps) for path in options.paths for fps in options.fps]
    scores: dict[Way, list[ClipScore]] = {way: [] for way in ways}
    for truth in clip_truths():
        if not options.clips or truth.clip in options.clips:
            folder = None if options.no_sheets else FOLDER
            found = measure(networks, truth, ways, folder, options.detector_width)
            for way, score in found.items():
                scores[way].append(score)
    for way in ways:
        report(way, scores[way])
    print(json.dumps({"took_s": round(time.monotonic() - started)}))


def measure(
    networks: Networks,
    truth: ClipTruth,
    ways: Sequence[Way],
    folder: Path | None,
    detector_width: Any = None,
) -> dict[Way, ClipScore]:
    """Print the figures of one clip; write its mistakes to `folder`."""
    runs, times_s = analyse_clip(networks, truth.clip, ways, detector_width)
    scores: dict[Way, ClipScore] = {}
    strips = []
    for run in runs:
        score, seen = run.score(truth, times_s)
        strips += mistakes(", ".join(map(str, run.ways)), score, seen)
        for way in run.ways:
            scores[way] = score
            line = {"clip": truth.clip, "path": way.path, "fps": way.fps, **score.figures()}
            print(json.dumps(line), flush=True)
    if folder and strips:
        write_sheet(truth.clip, strips, folder / f"{truth.clip.removesuffix('.mp4')}.png")
    return scores


def report(way: Way, scores: Sequence[ClipScore]) -> None:
    """Print the summary of one way."""
    figures: dict[str, Any] = summary(scores)
    met = all(figures[name] is not None and figures[name] <= most for name, most in MOST.items())
    print_result(f"J1 {way}", figures, f"{len(scores)} clips", json.dumps(MOST), met)


if __name__ == "__main__":
    main()
