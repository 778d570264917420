"""Real clips as cameras: which interval holds the true rate, with and without an audit (K1).

python -m benchmarks.audited_clips [--clips NAME ...] [--times 200]

Every counted track of a clip of `benchmarks.truth` (live, at 5, 8 and 25 frames a second together)
has a verdict and what the eye says. Each clip is a camera past which such people go: an audit draws
some of 200 of them, by the chances that Maskwatch would use, and people judge as the eye did. Then
500 more go by. Of each clip with five told tracks or more: the true rate, how often each interval
holds it, and how wide the audited one is.
"""

from __future__ import annotations

import argparse
import json
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.person_errors import clip_tables
from benchmarks.system import machine
from benchmarks.truth.runs import Way
from contract.people.audits import chances
from contract.people.compliance import mask_rate
from contract.people.corrected_rate import AuditCounts, Counted, corrected_rate
from contract.people.verdicts import VERDICTS

FPS: Final = (5.0, 8.0, 25.0)
PASSED: Final = 200
JUDGED: Final = 60
LATER: Final = 500
LEAST_TOLD: Final = 5 * len(FPS)
"""Tracks of whom the eye can tell, at all frame rates together."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", nargs="+")
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    print(machine(), flush=True)
    tables = clip_tables([Way("live", fps) for fps in FPS], options.clips)
    rows = []
    for number, (clip, table) in enumerate(tables.items()):
        if table[:3].sum() >= LEAST_TOLD:
            rng = np.random.default_rng([options.seed, number])
            rows.append({"clip": clip, **camera(table / table.sum(), options.times, rng)})
            print(json.dumps(rows[-1]), flush=True)
    means = {
        name: round(float(np.mean([row[name] for row in rows])), 3)
        for name in ("observed_holds", "not_audited_holds", "audited_holds", "audited_width")
    }
    print(json.dumps({"clips": len(rows), **means}))


def camera(
    shares: npt.NDArray[np.float64], times: int, rng: np.random.Generator
) -> dict[str, float]:
    """Return how the intervals do at a camera with these `(kinds, verdicts)` shares of people."""
    truth = float(shares[0].sum() / shares[:3].sum())
    held: dict[str, list[bool]] = {"observed": [], "not_audited": [], "audited": []}
    widths = []
    for _ in range(times):
        audit = an_audit(shares, rng)
        people = rng.multinomial(LATER, shares.ravel()).reshape(shares.shape).sum(axis=0)
        verdicts = dict(zip(VERDICTS, people.tolist(), strict=True))
        plain, bare = mask_rate(verdicts), corrected_rate([Counted(verdicts, None)])
        corrected = corrected_rate([Counted(verdicts, audit)])
        for name, found in (("observed", plain), ("not_audited", bare), ("audited", corrected)):
            low, high = found.low or 0.0, 1.0 if found.high is None else found.high
            held[name].append(low <= truth <= high)
        widths.append((corrected.high or 1.0) - (corrected.low or 0.0))
    rates = {f"{name}_holds": float(np.mean(ones)) for name, ones in held.items()}
    return {"truth": round(truth, 3), **rates, "audited_width": round(float(np.mean(widths)), 3)}


def an_audit(shares: npt.NDArray[np.float64], rng: np.random.Generator) -> AuditCounts:
    """Return what judges say of those who are drawn from `PASSED` people."""
    passed = rng.multinomial(PASSED, shares.ravel()).reshape(shares.shape)
    expected = dict(zip(VERDICTS, (PASSED * shares.sum(axis=0)).tolist(), strict=True))
    drawn = rng.binomial(passed, list(chances(JUDGED, expected).values()))
    return AuditCounts(tuple(map(tuple, drawn.tolist())), tuple(passed.sum(axis=0).tolist()))


if __name__ == "__main__":
    main()
