"""From who each counted track was to figures: of one clip, and of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from benchmarks.scenes.clip_truth import ClipTruth
from benchmarks.truth.matching import Answer
from contract.people.verdicts import JUDGED_VERDICTS

MANY: Final = 5
"""The rate of fewer people than this says little."""
BINS: Final = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0001)
"""Edges of the confidence's bins."""


@dataclass(frozen=True)
class ClipScore:
    """What was counted in one clip, on one path, against the eye."""

    truth: ClipTruth
    answers: tuple[Answer, ...]
    changes: tuple[tuple[str, float | None], ...]
    """Changes of a mask, and seconds until the screen said so; None: never."""

    @property
    def of_people(self) -> list[Answer]:
        """Answers about somebody whom the eye counts."""
        return [answer for answer in self.answers if answer.counts]

    @property
    def split(self) -> int:
        """Tracks too many of somebody who was counted already."""
        return len(self.of_people) - len({answer.who for answer in self.of_people})

    @property
    def missed(self) -> list[str]:
        """Whom the eye counts and no track is."""
        found = {answer.who for answer in self.of_people}
        return [p.who for p in self.truth.people if p.counts and p.who not in found]

    @property
    def merged(self) -> int:
        """Other people who were followed by the track of somebody."""
        return sum(len(answer.also) for answer in self.answers)

    @property
    def ghosts(self) -> int:
        """Counted tracks that are nobody."""
        return sum(not answer.who for answer in self.answers)

    @property
    def beside(self) -> int:
        """Counted tracks of people whom the eye does not count: too far away, never facing us."""
        return len(self.answers) - len(self.of_people) - self.ghosts

    @property
    def others(self) -> dict[str, int]:
        """Verdicts of ghosts and of those beside."""
        return dict(Counter(a.person.verdict for a in self.answers if not a.counts))

    @property
    def count_error(self) -> int:
        """People counted too many (negative: too few); those beside are neither."""
        return len(self.answers) - self.beside - self.truth.counted

    @property
    def told(self) -> list[Answer]:
        """Answers about somebody who counts and of whom the eye can tell."""
        return [answer for answer in self.of_people if answer.truth != "unknown"]

    @property
    def rate(self) -> float | None:
        """Maskwatch's, as the operator sees it: of all that it counted."""
        return rate([answer.person.verdict for answer in self.answers])

    @property
    def true_rate(self) -> float | None:
        """Of the people whom the eye counts."""
        return rate([person.state for person in self.truth.people if person.counts])

    @property
    def rate_error(self) -> float | None:
        """How far Maskwatch's rate is off; None where either has no rate."""
        if self.rate is None or self.true_rate is None:
            return None
        return self.rate - self.true_rate

    def figures(self) -> dict[str, Any]:
        """Everything about this clip, to be printed."""
        return {
            "by_eye": self.truth.counted,
            "counted": len(self.answers),
            "split": self.split,
            "merged": self.merged,
            "missed": len(self.missed),
            "ghosts": self.ghosts,
            "beside": self.beside,
            "others": self.others,
            "count_error": self.count_error,
            "rate": rounded(self.rate),
            "true_rate": rounded(self.true_rate),
            "rate_error": rounded(self.rate_error),
            **judged(self.told),
            "changes": dict(Counter(what for what, _ in self.changes)),
            "noticed_after_s": [after_s for _, after_s in self.changes],
        }


def rate(verdicts: Sequence[str]) -> float | None:
    """Share of masks among the judged; None without any."""
    known = [verdict for verdict in verdicts if verdict in JUDGED_VERDICTS]
    return known.count("mask") / len(known) if known else None


def judged(told: Sequence[Answer]) -> dict[str, int]:
    """Count right and wrong answers by kind, of people of whom the eye can tell."""
    pairs = Counter((answer.truth, answer.person.verdict) for answer in told)
    right = sum(number for (truth, verdict), number in pairs.items() if truth == verdict)
    unknown = sum(number for (_, verdict), number in pairs.items() if verdict == "unknown")
    return {
        "told": len(told),
        "right": right,
        "unknown": unknown,
        "bare_called_masked": pairs["no_mask", "mask"],
        "masked_called_bare": pairs["mask", "no_mask"],
        "otherwise_wrong": len(told)
        - right
        - unknown
        - pairs["no_mask", "mask"]
        - pairs["mask", "no_mask"],
    }


def summary(scores: Sequence[ClipScore]) -> dict[str, Any]:
    """Return the figures of all clips together."""
    errors = [
        abs(score.rate_error)
        for score in scores
        if score.truth.counted >= MANY and score.rate_error is not None
    ]
    told = [answer for score in scores for answer in score.told]
    kinds = judged(told)
    given = kinds["told"] - kinds["unknown"]
    delays_s = [after_s for score in scores for _, after_s in score.changes]
    return {
        "rate_error": rounded(sum(errors) / len(errors)) if errors else None,
        "rate_error_over_clips": len(errors),
        "count_error_fixed": counting(scores, "fixed"),
        "count_error_moving": counting(scores, "moving"),
        "split": sum(score.split for score in scores),
        "merged": sum(score.merged for score in scores),
        "missed": sum(len(score.missed) for score in scores),
        "ghosts": sum(score.ghosts for score in scores),
        "beside": sum(score.beside for score in scores),
        "others": dict(sum((Counter(score.others) for score in scores), Counter())),
        **kinds,
        "bare_called_masked_share": share(kinds["bare_called_masked"], given),
        "masked_called_bare_share": share(kinds["masked_called_bare"], given),
        "wrong_share": share(given - kinds["right"], given),
        "unknown_share": share(kinds["unknown"], kinds["told"]),
        "blind_answers": sum(a.person.verdict != "unknown" and not a.saw for a in told),
        "changes": len(delays_s),
        "changes_within_1_s": sum(after_s is not None and after_s <= 1.0 for after_s in delays_s),
        "changes_never_noticed": delays_s.count(None),
        "reliability": reliability(told),
    }


def counting(scores: Sequence[ClipScore], camera: str) -> float | None:
    """Return people counted too many and too few, clip by clip, over people by eye."""
    those = [score for score in scores if score.truth.camera == camera]
    by_eye = sum(score.truth.counted for score in those)
    return share(sum(abs(score.count_error) for score in those), by_eye)


def reliability(told: Sequence[Answer]) -> list[dict[str, Any]]:
    """Of the answers in each bin of confidence, the mean confidence and the share that is right."""
    given = [answer for answer in told if answer.person.verdict != "unknown"]
    rows = []
    for low, high in pairwise(BINS):
        here = [answer for answer in given if low <= answer.person.confidence < high]
        if here:
            said = sum(answer.person.confidence for answer in here) / len(here)
            right = sum(answer.person.verdict == answer.truth for answer in here)
            rows.append(
                {"n": len(here), "said": rounded(said), "right": rounded(right / len(here))}
            )
    return rows


def share(part: int, whole: int) -> float | None:
    """A share to be printed; None of nothing."""
    return rounded(part / whole) if whole else None


def rounded(number: float | None) -> float | None:
    """As it is printed."""
    return None if number is None else round(number, 3)
