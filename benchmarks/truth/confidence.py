"""What a person's confidence is worth: fitted and tried on every look at the faces of the clips.

python -m benchmarks.truth.confidence [--folder out/looks]

Replays the files of `benchmarks.truth.looks` through the worker's own votes, without any budget, at
each rate. Prints the logistic regression behind `Votes.final` (support to the chance of being
right); what it says of the people of each clip, fitted on the other clips; and, for each least
confidence, how many answers that leaves and how many of them are wrong, with the interval of
Clopper and Pearson. A person is counted once, by the mean over the rates.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.stats import beta

from benchmarks.scenes.clip_truth import ClipTruth, clip_truths
from benchmarks.truth.films import BEGIN_S, RATES
from benchmarks.truth.looks import FOLDER
from benchmarks.truth.matching import LEAST_SHARE
from worker.verdicts.evidence import LEAST_FACE_PX, of_judgeable, weigh
from worker.verdicts.votes import Votes, confidence_of

Array = npt.NDArray[np.float64]

LEAST: Final = (0.5, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95)
BINS: Final = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 1.0)
RIDGE: Final = 0.01


@dataclass(frozen=True)
class Judged:
    """A counted track of somebody of whom the eye can tell."""

    clip: str
    support: float
    right: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args()
    people = [
        person
        for truth in clip_truths()
        for fps in RATES
        for person in judged(truth, options.folder / f"{truth.clip.removesuffix('.mp4')}-{fps:g}")
    ]
    support = np.array([person.support for person in people])
    right = np.array([person.right for person in people])
    clips = np.array([person.clip for person in people])
    print(json.dumps({"tracks": len(people), "offset and slope": fitted(support, right).tolist()}))
    unseen = np.zeros(len(people))
    for clip in np.unique(clips):
        others = clips != clip
        unseen[~others] = predicted(fitted(support[others], right[others]), support[~others])
    for low, high in pairwise(BINS):
        here = (unseen >= low) & (unseen < high)
        if here.any():
            print(json.dumps({"other clips say": [low, high], **share_right(right[here])}))
    says = np.array([confidence_of(one) for one in support])
    for least in LEAST:
        given = says >= least
        print(json.dumps({"least confidence": least, **answers(given, right)}))


def judged(truth: ClipTruth, path: Path) -> Iterator[Judged]:
    """Replay one file of looks; yield those of whom the eye can tell."""
    looks = dict(np.load(path.with_suffix(".npz")))
    known = {person.who: person for person in truth.people}
    for track in looks["tracks"][looks["nobody"] == ""]:
        rows = np.flatnonzero(looks["track"] == track)
        followed = Counter(str(who) for who in looks["who"][rows] if who)
        who = max(followed, key=followed.__getitem__, default="")
        if not who or followed[who] < LEAST_SHARE * len(rows) or not known[who].counts:
            continue
        theirs = rows[(looks["who"][rows] == who) & (looks["state"][rows] != "unknown")]
        states = Counter(str(state) for state in looks["state"][theirs])
        true = max(states, key=states.__getitem__, default=known[who].state)
        if true != "unknown":
            verdict, support = replayed(looks, rows).supported
            yield Judged(truth.clip, support, verdict == true)


def replayed(looks: dict[str, Any], rows: npt.NDArray[np.int64]) -> Votes:
    """Return the votes of one track. rows: its looks, in order."""
    votes, sure = Votes(), float(looks["sure_score"])
    for row in rows:
        if looks["height_px"][row] < LEAST_FACE_PX:
            continue
        weight = weigh(looks["sharpness"][row], looks["score"][row], sure)
        judged, counts = of_judgeable(looks["probabilities"][row])
        time_s = BEGIN_S + float(looks["time_s"][row])
        votes = votes.add(judged, counts * float(weight), time_s)
    return votes


def fitted(support: Array, right: npt.NDArray[np.bool_]) -> Array:
    """Return offset and slope of a logistic regression on the log-odds of `support`."""
    odds, signs = _odds(support), np.where(right, -1.0, 1.0)

    def loss(line: Array) -> float:
        wrong = np.logaddexp(0.0, signs * (line[0] + line[1] * odds)).sum() / len(RATES)
        return float(wrong + RIDGE * (line**2).sum())

    return np.asarray(minimize(loss, np.array([0.0, 1.0])).x.round(2))


def predicted(line: Array, support: Array) -> Array:
    """The chance that verdicts of such support are right."""
    return np.asarray(1.0 / (1.0 + np.exp(-line[0] - line[1] * _odds(support))))


def share_right(right: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """Count and share of the right ones."""
    return {"tracks": len(right), "right": round(float(right.mean()), 3)}


def answers(given: npt.NDArray[np.bool_], right: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """What a least confidence leaves, and how many of that are wrong, over the rates."""
    people = given.sum() / len(RATES)
    wrong = (given & ~right).sum() / len(RATES)
    low = beta.ppf(0.025, wrong, people - wrong + 1) if wrong else 0.0
    high = beta.ppf(0.975, wrong + 1, people - wrong)
    return {
        "answered": round(float(given.mean()), 3),
        "of people": round(float(people), 1),
        "wrong": round(float(wrong / people), 4),
        "between": [round(float(low), 4), round(float(high), 4)],
    }


def _odds(support: Array) -> Array:
    inside = np.clip(support, 0.005, 0.995)
    return np.asarray(np.log(inside / (1.0 - inside)))


if __name__ == "__main__":
    main()
