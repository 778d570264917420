"""The corrected rate holds the truth where the observed one does not."""

from __future__ import annotations

from benchmarks.rate_coverage import RATES, simulate
from contract.people.compliance import mask_rate
from contract.people.corrected_rate import AuditCounts, Counted, corrected_rate, corrected_rates

PEOPLE = {"mask": 80, "incorrect": 3, "no_mask": 20, "unknown": 10}
FAITHFUL = AuditCounts(
    ((100, 0, 0, 0), (0, 60, 0, 0), (0, 0, 100, 0), (0, 0, 0, 60)), (400, 60, 300, 60)
)
BLIND = AuditCounts(
    ((100, 0, 0, 0), (0, 20, 0, 0), (40, 0, 60, 0), (0, 0, 0, 60)), (160, 20, 60, 60)
)
"""Some 45 of 105 bare people are called masked."""


def test_after_a_faultless_audit_the_corrected_rate_is_close_to_the_observed_one() -> None:
    observed, found = mask_rate(PEOPLE), corrected_rate([Counted(PEOPLE, FAITHFUL)])
    assert found.audited
    assert abs(found.rate - observed.rate) < 0.03
    assert found.low < observed.rate < found.high


def test_an_audit_that_finds_bare_people_called_masked_lowers_the_rate() -> None:
    # Half of 1,000 people wear a mask, and 215 of the others are called masked.
    people = {"mask": 715, "no_mask": 285, "unknown": 50}
    found = corrected_rate([Counted(people, BLIND)])
    assert mask_rate(people).low > 0.6
    assert 0.35 < found.low < 0.5 < found.high < 0.65


def test_without_an_audit_the_interval_is_wider_and_says_so() -> None:
    audited, plain = (corrected_rate([Counted(PEOPLE, audit)]) for audit in (FAITHFUL, None))
    assert not plain.audited
    assert plain.high - plain.low > audited.high - audited.low


def test_cameras_together_are_audited_only_if_all_are() -> None:
    both = corrected_rate([Counted(PEOPLE, FAITHFUL), Counted(PEOPLE, None)])
    assert not both.audited
    assert both.low < both.rate < both.high
    assert corrected_rate([Counted(PEOPLE, FAITHFUL), Counted({}, None)]).audited


def test_nobody_has_no_rate() -> None:
    assert corrected_rate([]).rate is None
    assert corrected_rate([Counted({"unknown": 5}, None)]).rate is None


def test_the_same_people_have_the_same_rate_whatever_is_asked_beside_them() -> None:
    steps = [[Counted({**PEOPLE, "mask": number}, None)] for number in (0, 1, 50, 50, 5_000)]
    found = corrected_rates(steps)
    assert found == [corrected_rate(step) for step in steps]
    assert found[2] == found[3]


def test_the_interval_holds_the_rate_of_simulated_cameras() -> None:
    """The whole of it, with 2,000 cameras in each row, is `benchmarks.rate_coverage`."""
    held = simulate(60, 3, cameras=40, seed=3)
    assert len(held) == 3 * len(RATES)
    assert 0.9 < sum(held) / len(held) < 0.99
