"""The mask rate that would have been found without errors of classification.

The people of a camera are of four kinds: who wears a mask, wears it incorrectly, wears none, and
everybody whom no eye could tell (and things taken for people). How often each kind gets each
verdict is known from the camera's audit, and before there is one from films whose people were
looked at (`contract.people.person_errors`), where it differs from film to film. The shares of
verdicts that were observed are solved for the shares of kinds, as Rogan and Gladen (1978) did for
two classes, for each of `SAMPLES` draws of what is uncertain: the errors at this camera and the
people who happened to pass. The interval is what 95 % of the solutions lie in.

The errors are not learnt from the counts they correct, so that the interval holds at a rate of 0 or
1 as well as between (`benchmarks.rate_coverage`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from contract.messages import Count
from contract.people.person_errors import GIVEN, TOLD
from contract.people.verdicts import VERDICTS, Verdict

KINDS: Final = VERDICTS
"""`unknown` as a kind: an eye cannot tell, or there is nobody."""
SAMPLES: Final = 400
"""Draws behind an interval. With twice as many the bounds move by 0.01 at most."""
STEPS: Final = 60
"""Steps of the Gibbs sampler that learns a camera's errors from its audit."""
LITTLE: Final = 0.5
"""People of each kind that an audit is held to have seen beforehand (Jeffreys)."""
RIDGE: Final = 1e-5
"""Keeps kinds apart whose verdicts are alike. With 1e-4 the rate is drawn to the middle."""
TAIL: Final = 0.025
TAIL_BEFORE_AUDIT: Final = 0.04
"""Share of the draws on each side of the interval. Where errors are known from other films alone,
draws whose errors contradict the counts make it wider than 95 %."""
JUDGED: Final = 3
"""The first kinds have a rate."""

Draws = npt.NDArray[np.float64]


@dataclass(frozen=True)
class AuditCounts:
    """What people said of some who were counted at a camera while its audit ran."""

    judged: tuple[tuple[Count, ...], ...]
    """`(kinds, verdicts)` people by what was said of them and by the verdict they had got."""
    counted: tuple[Count, ...]
    """`(verdicts,)` all people who were counted meanwhile; at least those judged."""


@dataclass(frozen=True)
class CorrectedRate:
    """A rate of 0 to 1 and its 95 % interval; all None where nobody has a verdict."""

    rate: float | None
    low: float | None = None
    high: float | None = None
    audited: bool = False
    """Whether all cameras behind it were audited."""


@dataclass(frozen=True)
class Counted:
    """People of one camera and step by verdict, and its audit."""

    people: Mapping[Verdict, int]
    audit: AuditCounts | None


def corrected_rate(cameras: Sequence[Counted]) -> CorrectedRate:
    """Return the corrected rate of some cameras together.

    Cameras without an audit are corrected as one, because what they have in common with the films
    is as uncertain for all of them.
    """
    return corrected_rates([cameras])[0]


def corrected_rates(steps: Sequence[Sequence[Counted]]) -> list[CorrectedRate]:
    """Return the corrected rate of each step, faster than one by one."""
    by_audit: dict[AuditCounts | None, list[tuple[int, list[int]]]] = {}
    for place, cameras in enumerate(steps):
        pooled: dict[AuditCounts | None, list[int]] = {}
        for one in cameras:
            row = pooled.setdefault(one.audit, [0] * len(VERDICTS))
            for column, verdict in enumerate(VERDICTS):
                row[column] += one.people.get(verdict, 0)
        for audit, row in pooled.items():
            if any(row[:JUDGED]):
                by_audit.setdefault(audit, []).append((place, row))
    masked, told = np.zeros((2, len(steps), SAMPLES))
    audited = np.ones(len(steps), bool)
    for audit, rows in by_audit.items():
        places = [place for place, _ in rows]
        counts, which = np.unique([row for _, row in rows], axis=0, return_inverse=True)
        kinds = _kinds(_errors(audit), np.array([_shares(audit, row) for row in counts]))
        kinds = (kinds * counts.sum(axis=1)[:, None, None])[which]
        masked[places] += kinds[..., 0]
        told[places] += kinds[..., :JUDGED].sum(axis=-1)
        audited[places] &= audit is not None
    return [_interval(*row) for row in zip(masked, told, audited.tolist(), strict=True)]


def _interval(masked: Draws, told: Draws, audited: bool) -> CorrectedRate:
    if not (there := told > 0).any():
        return CorrectedRate(None)
    tail = TAIL if audited else TAIL_BEFORE_AUDIT
    low, rate, high = np.quantile(masked[there] / told[there], [tail, 0.5, 1 - tail])
    return CorrectedRate(float(rate), float(low), float(high), audited)


def _shares(audit: AuditCounts | None, counts: npt.NDArray[np.int64]) -> Draws:
    """Return `(SAMPLES, verdicts)` draws of the shares that `(verdicts,)` people stand for.

    The same people have the same draws, so that every page and answer says the same of them.
    """
    known = [0] if audit is None else [1, *audit.counted, *(n for row in audit.judged for n in row)]
    rng = np.random.default_rng([*counts.tolist(), *known])
    # Half of the draws as if one more had passed: none of a kind stays possible (mid-p).
    shares = rng.standard_gamma(counts + rng.integers(0, 2, (SAMPLES, len(counts))))
    drawn: Draws = shares / np.maximum(shares.sum(axis=-1, keepdims=True), 1e-12)
    return drawn


def _kinds(errors: Draws, shares: Draws) -> Draws:
    """Return draws `(steps, SAMPLES, kinds)` of the shares of kinds.

    Args:
        errors: `(SAMPLES, kinds, verdicts)` chances, each row adding up to 1.
        shares: `(steps, SAMPLES, verdicts)` of the people.
    """
    # Least squares without negative shares: solve, leave out the kinds below 0, solve again.
    gram = errors @ errors.swapaxes(-1, -2) + RIDGE * np.eye(len(KINDS))
    wanted = np.einsum("tsv,skv->tsk", shares, errors)
    kinds: Draws = np.einsum("skj,tsj->tsk", np.linalg.inv(gram), wanted)
    for _ in KINDS[1:]:
        step, sample = np.nonzero((kinds < 0).any(axis=-1))
        if not len(step):
            break
        inside = kinds[step, sample] > 0
        both = inside[:, :, None] & inside[:, None, :]
        part = np.where(both, gram[sample], np.eye(len(KINDS)))
        right = np.where(inside, wanted[step, sample], 0.0)
        kinds[step, sample] = np.linalg.solve(part, right[..., None])[..., 0]
    return kinds


@lru_cache(maxsize=2_000)
def _errors(audit: AuditCounts | None) -> Draws:
    """Return `(SAMPLES, kinds, verdicts)` draws of how often each kind gets each verdict."""
    rng = np.random.default_rng(SAMPLES)
    if audit is None:
        return errors_like(np.zeros((SAMPLES, len(KINDS), len(VERDICTS))), rng)
    judged = np.array(audit.judged, np.int64)
    others = np.array(audit.counted, np.int64) - judged.sum(axis=0)
    # Data augmentation (Tanner and Wong 1987): give those who were not judged a kind, then draw
    # the shares and errors of everybody.
    errors = errors_like(np.broadcast_to(judged, (SAMPLES, *judged.shape)).astype(float), rng)
    share = np.full((SAMPLES, len(KINDS)), 1 / len(KINDS))
    for _ in range(STEPS):
        chances = share[:, :, None] * errors
        chances = chances / chances.sum(axis=1, keepdims=True)
        given = rng.multinomial(others, chances.swapaxes(1, 2)).swapaxes(1, 2)
        everyone = (judged + given).astype(float)
        share = _dirichlet(everyone.sum(axis=2) + LITTLE, rng)
        errors = errors_like(everyone, rng)
    return errors


def errors_like(seen: Draws, rng: np.random.Generator) -> Draws:
    """Draw how often each kind gets each verdict, given films and what was seen at a camera.

    Args:
        seen: `(..., kinds, verdicts)` people.
        rng: Draws.
    """
    given = seen[..., :JUDGED]
    told = np.stack([given.sum(axis=-1), seen[..., JUDGED]], axis=-1)
    with_verdict, without = np.split(_dirichlet(TOLD + told, rng), 2, axis=-1)
    return np.concatenate([with_verdict * _dirichlet(GIVEN + given, rng), without], axis=-1)


def _dirichlet(parameters: Draws, rng: np.random.Generator) -> Draws:
    draws = np.maximum(rng.standard_gamma(parameters), 1e-12)
    shares: Draws = draws / draws.sum(axis=-1, keepdims=True)
    return shares
