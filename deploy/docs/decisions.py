"""Makes the index of decisions, by subject, from the heads of the pages in `docs/adr`.

The head of such a page:

    # 0042 The decision in one line

    - Status: accepted
    - Date: 2026-11-30
    - Subject: Redis
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.docs.markdown import page, table

SUBJECTS: Final = (
    "Frames and workers",
    "Counting people",
    "Networks",
    "Cameras",
    "Dashboard and API",
    "Accounts and access",
    "Alerts",
    "Try it",
    "Redis",
    "Security and privacy",
    "Deployment",
    "Development",
)
"""The subjects, in the order of the index."""

STATUSES: Final = ("proposed", "accepted", "superseded")

_HEAD: Final = re.compile(
    r"# (?P<number>\d{4}) (?P<title>\S.*)\n\n"
    r"- Status: (?P<status>\S.*)\n"
    r"- Date: (?P<date>\d{4}-\d\d-\d\d)\n"
    r"- Subject: (?P<subject>\S.*)\n\n"
)
_INTRODUCTION: Final = """\
Each page states the question, the measurements, the decision and its cost. A page that a
later one overturned says so in its status. Numbers follow the order of the decisions; 0021 was
never used."""


@dataclass(frozen=True)
class Decision:
    """One page of `docs/adr`."""

    file: str
    number: str
    title: str
    status: str
    date: str
    subject: str


def read_decision(path: Path) -> Decision:
    """Read the head of a page; raise `ValueError` with the fault if it is malformed."""
    found = _HEAD.match(path.read_text(encoding="utf-8"))
    if found is None:
        raise ValueError(f"{path.name}: expected the head that deploy/docs/decisions.py describes")
    decision = Decision(path.name, **found.groupdict())
    if not path.name.startswith(decision.number):
        raise ValueError(f"{path.name}: the title has the number {decision.number}")
    if decision.subject not in SUBJECTS:
        raise ValueError(f"{path.name}: {decision.subject!r} is not one of {', '.join(SUBJECTS)}")
    if not decision.status.startswith(STATUSES):
        raise ValueError(f"{path.name}: the status begins with none of {', '.join(STATUSES)}")
    return decision


def all_decisions(folder: Path) -> list[Decision]:
    """Return every decision, ordered by number."""
    return [read_decision(path) for path in sorted(folder.glob("[0-9]*.md"))]


def decisions_page(folder: Path) -> str:
    """Return the index, with a table for each subject."""
    decisions = all_decisions(folder)
    blocks = []
    for subject in SUBJECTS:
        rows = [
            (f"[{one.number}]({one.file})", one.title, one.status, one.date)
            for one in decisions
            if one.subject == subject
        ]
        if rows:
            blocks += [f"## {subject}", table(("", "Decision", "Status", "Date"), rows)]
    return page("Decisions", _INTRODUCTION, *blocks)
