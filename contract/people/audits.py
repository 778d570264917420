"""Audits: people say of some who were counted how they wore their mask, without our verdict."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from contract.messages import Moment, Share, StoredRecord
from contract.people.corrected_rate import KINDS, AuditCounts
from contract.people.people import Person
from contract.people.verdicts import VERDICTS, Verdict

Answer = Literal["mask", "incorrect", "no_mask", "cannot_tell", "not_a_person"]
ANSWERS: Final[tuple[Answer, ...]] = ("mask", "incorrect", "no_mask", "cannot_tell", "not_a_person")
ANSWER_WORDS: Final[Mapping[Answer, str]] = {
    "mask": "Mask",
    "incorrect": "Worn incorrectly",
    "no_mask": "No mask",
    "cannot_tell": "Cannot tell",
    "not_a_person": "Not a person",
}
LEAST_PEOPLE: Final = 20
MOST_PEOPLE: Final = 500
"""People to judge in one audit."""
LONGEST_HOURS: Final = 24
PICTURES_KEPT_S: Final = 24 * 3600
"""Longest that the pictures of somebody who was drawn are kept."""
UNDO_S: Final = 60
"""Seconds for which the pictures stay after the last answer, so that it can be taken back."""
SECOND_SHARE: Final = 0.2
"""Share of the people that a second judge sees as well."""
MOST_PICTURES: Final = 3
LEAST_JUDGED: Final = 20
"""Judged people of a camera from which its audit replaces what other films know."""


@dataclass(frozen=True)
class Audit(StoredRecord):
    """An audit of one camera, or of a group's cameras as they were at its start."""

    WHAT: ClassVar = "an audit"

    id: str
    name: str
    """The camera's or group's."""
    camera_ids: tuple[str, ...]
    people: Annotated[int, Field(ge=1, le=MOST_PEOPLE)]
    """How many are to be judged."""
    chances: dict[Verdict, Share]
    """Chance of each person to be drawn, by verdict."""
    started_by: str
    started_at_s: Moment
    ends_at_s: Moment
    """When drawing ends if too few people pass."""

    def draws(self, camera_id: str, person: Person, pictures: int) -> DrawnPerson | None:
        """Return the person's row if they are drawn: always the same for the same person."""
        text = f"{self.id}:{camera_id}:{person.track_id}:{person.first_seen_s}"
        digest = hashlib.sha256(text.encode()).digest()
        if int.from_bytes(digest[:6]) / 2**48 >= self.chances.get(person.verdict, 0.0):
            return None
        second = int.from_bytes(digest[6:12]) / 2**48 < SECOND_SHARE
        return DrawnPerson(
            digest[12:20].hex(),
            camera_id,
            person.verdict,
            person.confidence,
            person.last_seen_s,
            second,
            min(pictures, MOST_PICTURES),
        )


@dataclass(frozen=True)
class DrawnPerson(StoredRecord):
    """Somebody who was counted and drawn; without a picture."""

    WHAT: ClassVar = "a drawn person"

    id: str
    camera_id: str
    verdict: Verdict
    confidence: Share
    last_seen_s: Moment
    second: bool
    """Whether two judges are to answer."""
    pictures: Annotated[int, Field(ge=0, le=MOST_PICTURES)] = 0
    """How many were kept; 0 when they were lost with the worker that had them."""

    @property
    def judges(self) -> int:
        """How many are to answer."""
        return 2 if self.second else 1


@dataclass(frozen=True)
class Judgement(StoredRecord):
    """A judge's answer about a drawn person."""

    WHAT: ClassVar = "a judgement"

    person_id: str
    judge: str
    answer: Answer
    at_s: Moment


@dataclass(frozen=True)
class AuditFindings:
    """What an audit found so far."""

    audit: Audit
    drawn: tuple[DrawnPerson, ...]
    judgements: tuple[Judgement, ...]
    """By time."""
    counted: Mapping[str, Mapping[Verdict, int]]
    """People who were counted while people were drawn, by camera and verdict."""

    @property
    def answers(self) -> dict[str, list[Judgement]]:
        """The judgements of each person, the first one first."""
        ordered = sorted(self.judgements, key=lambda one: (one.person_id, one.at_s))
        return {person: list(those) for person, those in groupby(ordered, lambda j: j.person_id)}

    @property
    def judged(self) -> int:
        """People with an answer."""
        return len(self.answers)

    def table(self, camera_ids: Iterable[str] | None = None) -> dict[Answer, dict[Verdict, int]]:
        """Return the judged people by answer and verdict, of all or some cameras."""
        wanted, answers = set(camera_ids or self.audit.camera_ids), self.answers
        found: dict[Answer, dict[Verdict, int]] = {
            answer: dict.fromkeys(VERDICTS, 0) for answer in ANSWERS
        }
        for person in self.drawn:
            if person.camera_id in wanted and person.id in answers:
                found[answers[person.id][0].answer][person.verdict] += 1
        return found

    def counts(self, camera_id: str) -> AuditCounts | None:
        """Return what is known of errors at a camera; None before `LEAST_JUDGED` were judged."""
        table, counted = self.table([camera_id]), self.counted.get(camera_id, {})
        rows = [[0] * len(VERDICTS) for _ in KINDS]
        for answer, verdicts in table.items():
            kind = KINDS.index(answer) if answer in KINDS else KINDS.index("unknown")
            for column, verdict in enumerate(VERDICTS):
                rows[kind][column] += verdicts[verdict]
        judged = [sum(column) for column in zip(*rows, strict=True)]
        if sum(judged) < LEAST_JUDGED:
            return None
        # A count that was lost with a worker must not leave fewer people than were judged.
        everyone = [max(counted.get(v, 0), n) for v, n in zip(VERDICTS, judged, strict=True)]
        return AuditCounts(tuple(map(tuple, rows)), tuple(everyone))

    def agreement(self) -> Agreement:
        """Return how far two judges agree."""
        pairs = [those[:2] for those in self.answers.values() if len(those) > 1]
        same = sum(first.answer == second.answer for first, second in pairs)
        firsts, seconds = (Counter(pair[side].answer for pair in pairs) for side in (0, 1))
        chance = sum(firsts[a] * seconds[a] for a in ANSWERS) / max(1, len(pairs) ** 2)
        kappa = (same / len(pairs) - chance) / (1 - chance) if pairs and chance < 1 else None
        return Agreement(len(pairs), same, kappa)


@dataclass(frozen=True)
class Agreement:
    """How far two judges agree about people whom both judged."""

    people: int
    same: int
    kappa: float | None
    """Cohen's kappa (1960): 0 as by chance, 1 always; None where chance alone explains it."""


def chances(people: int, expected: Mapping[Verdict, float]) -> dict[Verdict, float]:
    """Return the chance of each verdict to be drawn, so that `people` are drawn in all.

    Each verdict gets an equal share of `people`; what a rare one cannot fill goes to the others.
    `expected`: people by verdict who will pass; where nobody is expected, everybody is drawn.
    """
    left, found = float(people), {}
    rising = sorted(VERDICTS, key=lambda verdict: expected.get(verdict, 0.0))
    for place, verdict in enumerate(rising):
        there = expected.get(verdict, 0.0)
        share = min(there, left / (len(rising) - place))
        left -= share
        found[verdict] = round(share / there, 4) if there > share else 1.0
    return {verdict: found[verdict] for verdict in VERDICTS}
