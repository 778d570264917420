"""What to do after an audit, in words."""

from __future__ import annotations

from typing import Final, Literal

from contract.people.audits import LEAST_JUDGED, AuditFindings

MANY_UNTELLABLE: Final = 0.25
MANY_THINGS: Final = 0.1
MANY_WRONG: Final = 0.05
POOR_KAPPA: Final = 0.6
FEW_PAIRS: Final = 10
TOLD: Final[tuple[Literal["mask", "incorrect", "no_mask"], ...]] = ("mask", "incorrect", "no_mask")
"""Answers that a verdict can have too."""


def advice_on(found: AuditFindings) -> list[str]:
    """Return what an audit suggests; a camera's errors are known from `LEAST_JUDGED` on."""
    table, judged = found.table(), found.judged
    if judged < LEAST_JUDGED:
        return [
            f"Judge {LEAST_JUDGED - judged} more: from {LEAST_JUDGED} people of a camera on, its "
            "corrected rate follows the audit."
        ]
    advice = []
    untellable, things = (sum(table[a].values()) / judged for a in ("cannot_tell", "not_a_person"))
    if untellable > MANY_UNTELLABLE:
        advice.append(
            "Move the camera closer, lower or into better light: "
            f"{_percent(untellable)} of the people could not be judged by eye either."
        )
    if things > MANY_THINGS:
        advice.append(
            "Draw an ignored area over pictures and reflections: "
            f"{_percent(things)} of those counted were no people."
        )
    given = sum(table[answer][verdict] for answer in TOLD for verdict in TOLD)
    wrong = given - sum(table[answer][answer] for answer in TOLD)
    if given and wrong / given > MANY_WRONG:
        advice.append(
            "Trust the corrected rate, not the observed one: "
            f"{_percent(wrong / given)} of the verdicts about people whom eyes can tell were wrong."
        )
    agreement = found.agreement()
    if agreement.people >= FEW_PAIRS and (agreement.kappa or 1.0) < POOR_KAPPA:
        advice.append("Agree on what counts as incorrect: two judges often gave different answers.")
    return advice or ["Nothing to do: verdicts and eyes agree here."]


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"
