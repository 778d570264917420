"""Coverage of corrected rates by simulation (K2).

python -m benchmarks.rate_coverage [--cameras 2000] [--seed 1]

Each simulated camera has errors of its own, drawn from what films differ by
(`contract.people.person_errors`), an audit (0 to 500 people, drawn by verdict, rare verdicts more
often) in a time with a rate of its own, and then a period of 20 to 5,000 people at a known rate. Of
each row of cameras: how often the interval holds that rate, and how wide it is; beside it the
observed rate's interval.
"""

from __future__ import annotations

import argparse
import json
from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks.system import machine
from contract.people.compliance import mask_rate
from contract.people.corrected_rate import AuditCounts, Counted, corrected_rate, errors_like
from contract.people.verdicts import VERDICTS

RATES: Final = (0.0, 0.02, 0.2, 0.5, 0.8, 0.98, 1.0)
PEOPLE: Final = (20, 200, 5_000)
AUDITS: Final = (0, 60, 200, 500)
PASSED: Final = 3
"""How many people pass while an audit runs, for one that is judged."""
Draws = npt.NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cameras", type=int, default=2_000, help="for each size of audit")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--audits", type=int, nargs="+", default=AUDITS)
    options = parser.parse_args()
    print(machine(), flush=True)
    held: list[float] = []
    for size, classes in product(options.audits, (3, 2)):
        held += simulate(size, classes, options.cameras, options.seed)
    print(json.dumps({"rows": len(held), "lowest": min(held), "mean": float(np.mean(held))}))


def simulate(size: int, classes: int, cameras: int, seed: int) -> list[float]:
    """Print of each period how often the interval holds the rate, and how wide it is."""
    periods = list(product(RATES, PEOPLE))
    held, plain, widths = np.zeros((3, len(periods), cameras))
    for camera in range(cameras):
        rng = np.random.default_rng([seed, size, classes, camera])
        errors = errors_like(np.zeros((len(VERDICTS), len(VERDICTS))), rng)
        audit = an_audit(errors, size, classes, rng) if size else None
        for place, (rate, people) in enumerate(periods):
            counted = rng.multinomial(people, kinds(rate, classes, rng) @ errors).tolist()
            verdicts = dict(zip(VERDICTS, counted, strict=True))
            found = corrected_rate([Counted(verdicts, audit)])
            # Without anybody judged nothing is claimed, as by an interval from 0 to 1.
            low, high = found.low or 0.0, 1.0 if found.high is None else found.high
            held[place, camera] = low <= rate <= high
            widths[place, camera] = high - low
            if (observed := mask_rate(verdicts)).low is not None:
                plain[place, camera] = observed.low <= rate <= (observed.high or 0.0)
    for place, (rate, people) in enumerate(periods):
        row = {"audit": size, "classes": classes, "people": people, "rate": rate}
        row["covered"] = float(held[place].mean())
        row["width"] = round(float(widths[place].mean()), 3)
        row["observed_covered"] = float(plain[place].mean())
        print(json.dumps(row), flush=True)
    return [float(row.mean()) for row in held]


def kinds(rate: float, classes: int, rng: np.random.Generator) -> Draws:
    """Return the shares of kinds among those who pass, at a rate."""
    others = rng.uniform(0.02, 0.3)
    wrongly = rng.uniform(0.0, 0.4) if classes == 3 else 0.0
    told = np.array([rate, (1 - rate) * wrongly, (1 - rate) * (1 - wrongly)])
    return np.append(told * (1 - others), others)


def an_audit(errors: Draws, size: int, classes: int, rng: np.random.Generator) -> AuditCounts:
    """Return the audit of a camera, of people who passed at another rate."""
    there = kinds(rng.uniform(), classes, rng)[:, None] * errors
    passed = rng.multinomial(PASSED * size, (there / there.sum()).ravel())
    table = passed.reshape(there.shape)
    counted, wanted = table.sum(axis=0), np.zeros(len(VERDICTS), int)
    # An equal number of each verdict, and of the others where one has fewer.
    while wanted.sum() < size:
        wanted += (counted > wanted) * 1
    judged = [
        rng.multivariate_hypergeometric(column, min(want, column.sum()))
        for column, want in zip(table.T, wanted.tolist(), strict=True)
    ]
    rows = np.array(judged).T.tolist()
    return AuditCounts(tuple(map(tuple, rows)), tuple(counted.tolist()))


if __name__ == "__main__":
    main()
