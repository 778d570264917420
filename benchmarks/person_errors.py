"""How often people of each kind get each verdict in real clips, and how much clips differ.

python -m benchmarks.person_errors [--fps 5 8 25] [--clips NAME ...]

Every counted track of the clips of `benchmarks.truth` by what the eye says of it and by the verdict
it got, clip by clip, then the prior that `contract.people.person_errors` has: of each kind a
Dirichlet distribution over verdicts, fitted by maximum likelihood to the clips' counts
(Dirichlet-multinomial, Minka 2000), so that its width is what clips differ by.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from benchmarks.scenes.clip_truth import clip_truths
from benchmarks.system import machine
from benchmarks.truth.memory import Memory, remembering
from benchmarks.truth.runs import Way, analyse_clip
from contract.people.verdicts import VERDICTS
from runtime.settings import load_settings

KINDS: Final = VERDICTS
"""What the eye says; `unknown` is who has no rate: things, people who cannot be judged."""
MOST_STRENGTH: Final = 5.0
"""Most strength, in people, of how verdicts of one kind are spread. The clips show next to no wrong
verdicts, so they cannot show how films differ: of a share of 1 % in the mean, one film in forty
has 12 % or more."""
STRENGTHS: Final = np.geomspace(0.5, 100, 400)

Table = npt.NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", nargs="+")
    parser.add_argument("--fps", type=float, nargs="+", default=[5.0, 8.0, 25.0])
    options = parser.parse_args()
    cv2.setNumThreads(1)
    print(machine(), flush=True)
    tables = clip_tables([Way("live", fps) for fps in options.fps], options.clips)
    # Rates of analysis show the same people: together they weigh as one.
    whole = np.array(list(tables.values())) / len(options.fps)
    print(json.dumps({"together": whole.sum(axis=0).round(2).tolist()}))
    told = [
        np.column_stack([whole[:, row, :3].sum(axis=1), whole[:, row, 3]])
        for row in range(len(KINDS))
    ]
    # How films differ in what can be told is much the same for all kinds: one strength for all.
    strength = best_strength(told)
    for row, kind in enumerate(KINDS):
        given = whole[:, row, :3]
        shows = (given.sum(axis=0) > 0).sum() > 1
        most = min(MOST_STRENGTH, best_strength([given])) if shows else MOST_STRENGTH
        shares = {
            "kind": kind,
            "told_or_unknown": (mean(told[row]) * strength).round(2).tolist(),
            "verdicts": (mean(given) * most).round(3).tolist(),
        }
        print(json.dumps(shares))


def clip_tables(ways: Sequence[Way], clips: Sequence[str] | None) -> dict[str, Table]:
    """Return of each clip `(kinds, verdicts)` tracks, of all ways together; print them."""
    networks = remembering(load_settings(), Memory())
    tables = {}
    for truth in clip_truths():
        if clips and truth.clip not in clips:
            continue
        runs, times_s = analyse_clip(networks, truth.clip, ways)
        found: Counter[tuple[str, str]] = Counter()
        for run in runs:
            score, _ = run.score(truth, times_s)
            for answer in score.answers:
                kind = answer.truth if answer.who and answer.saw else "unknown"
                found[kind, answer.person.verdict] += len(run.ways)
        table = np.array([[found[k, v] for v in VERDICTS] for k in KINDS], np.float64)
        tables[truth.clip] = table
        print(json.dumps({"clip": truth.clip, "tracks": table.tolist()}), flush=True)
    return tables


def mean(counts: Table) -> Table:
    """Return the shares `(columns,)` of `(clips, columns)` people, and of half a person more."""
    together = counts.sum(axis=0) + 0.5 / counts.shape[1]
    shares: Table = together / together.sum()
    return shares


def best_strength(tables: Sequence[Table]) -> float:
    """Return the strength of Dirichlet-multinomials with the greatest likelihood for all tables."""

    def likelihood(strength: float) -> float:
        whole = 0.0
        for counts in tables:
            alpha = mean(counts) * strength
            each = gammaln(strength) - gammaln(strength + counts.sum(axis=1))
            each = each + (gammaln(alpha + counts) - gammaln(alpha)).sum(axis=1)
            whole += float(each.sum())
        return whole

    return float(max(STRENGTHS, key=likelihood))


if __name__ == "__main__":
    main()
