"""What an audit draws, and what follows from its answers."""

from __future__ import annotations

import dataclasses

import pytest

from contract.people.audits import (
    LEAST_JUDGED,
    Answer,
    Audit,
    AuditFindings,
    DrawnPerson,
    Judgement,
    chances,
)
from contract.people.people import Person
from contract.people.verdicts import VERDICTS, Verdict
from dashboard.audits.advice import advice_on

AUDIT = Audit("a1", "Gate", ("c1",), 60, dict.fromkeys(VERDICTS, 0.25), "Ada", 1e9, 1e9 + 3600)
PERSON = Person(1, 1e9, 1e9 + 2, 12, 80.0, "mask", 0.98, 1.5)


def findings(*answers: tuple[Verdict, Answer, Answer | None]) -> AuditFindings:
    """An audit with a person for each verdict, first answer and second answer."""
    drawn, judgements = [], []
    for number, (verdict, first, second) in enumerate(answers):
        drawn.append(DrawnPerson(f"p{number}", "c1", verdict, 0.9, 1e9, second is not None, 1))
        judgements.append(Judgement(f"p{number}", "Ada", first, 1e9 + 1))
        if second:
            judgements.append(Judgement(f"p{number}", "Bo", second, 1e9 + 2))
    counted = {verdict: 2 * sum(v == verdict for v, _, _ in answers) for verdict in VERDICTS}
    return AuditFindings(AUDIT, tuple(drawn), tuple(judgements), {"c1": counted})


def test_chances_draw_equally_many_of_each_verdict_and_all_of_a_rare_one() -> None:
    found = chances(80, {"mask": 1000, "incorrect": 4, "no_mask": 200, "unknown": 100})
    assert found["incorrect"] == 1.0
    expected = {"mask": 1000, "incorrect": 4, "no_mask": 200, "unknown": 100}
    drawn = {verdict: found[verdict] * expected[verdict] for verdict in VERDICTS}
    assert sum(drawn.values()) == pytest.approx(80, abs=1)
    assert drawn["mask"] == pytest.approx(drawn["no_mask"], abs=1)


def test_everybody_is_drawn_where_nobody_is_expected() -> None:
    assert set(chances(60, {}).values()) == {1.0}


def test_a_person_is_drawn_by_their_chance_and_always_alike() -> None:
    people = [dataclasses.replace(PERSON, track_id=number) for number in range(2_000)]
    rows = [AUDIT.draws("c1", person, 3) for person in people]
    assert rows == [AUDIT.draws("c1", person, 3) for person in people]
    drawn = [row for row in rows if row]
    assert len(drawn) / len(rows) == pytest.approx(0.25, abs=0.03)
    assert sum(row.second for row in drawn) / len(drawn) == pytest.approx(0.2, abs=0.06)
    assert len({row.id for row in drawn}) == len(drawn)


def test_counts_follow_the_first_judge_and_wait_for_enough_people() -> None:
    few = findings(*[("mask", "mask", None)] * (LEAST_JUDGED - 1))
    assert few.counts("c1") is None
    assert "1 more" in advice_on(few)[0]
    found = findings(
        *[("mask", "mask", "no_mask")] * 15, *[("mask", "no_mask", None)] * 5,
        ("unknown", "not_a_person", None),
    )  # fmt: skip
    counts = found.counts("c1")
    assert counts is not None
    assert counts.judged == ((15, 0, 0, 0), (0, 0, 0, 0), (5, 0, 0, 0), (0, 0, 0, 1))
    assert counts.counted == (40, 0, 0, 2)
    assert found.counts("another camera") is None


def test_agreement_beyond_chance() -> None:
    same = [("mask", "mask", "mask")] * 6 + [("no_mask", "no_mask", "no_mask")] * 4
    assert findings(*same).agreement().kappa == pytest.approx(1.0)
    by_chance = [("mask", one, two) for one in ("mask", "no_mask") for two in ("mask", "no_mask")]
    found = findings(*by_chance).agreement()
    assert (found.people, found.same, found.kappa) == (4, 2, pytest.approx(0.0))
    assert findings(("mask", "mask", None)).agreement().kappa is None


def test_advice_names_what_is_wrong() -> None:
    poor = [("unknown", "cannot_tell", None)] * 8 + [("no_mask", "not_a_person", None)] * 4
    wrong = [("mask", "no_mask", None)] * 3 + [("mask", "mask", None)] * 7
    words = " ".join(advice_on(findings(*poor, *wrong)))
    assert "Move the camera" in words
    assert "ignored area" in words
    assert "corrected rate" in words
    assert advice_on(findings(*[("mask", "mask", None)] * 30)) == [
        "Nothing to do: verdicts and eyes agree here."
    ]
