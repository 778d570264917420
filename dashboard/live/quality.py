"""Describes the problems of a camera's picture in plain words, with advice."""

from __future__ import annotations

from typing import Final

from contract.cameras.quality import PROBLEM_WORDS, Problem, QualityReport
from dashboard.live.answers import Quality, QualityProblem

PROBLEM_ADVICE: Final[dict[Problem, str]] = {
    "black": "The picture is almost black. Check the light, the lens and the camera.",
    "covered": "The picture shows no detail. Check what covers the lens.",
    "frozen": "The camera repeats the same picture. Restart the camera or its encoder.",
    "moved": "The camera shows another view. Turn it back, or leave it: after five minutes "
    "Maskwatch accepts the new view. Check its lines and zones.",
    "blurred": "The picture is blurred. Clean or refocus the lens.",
}


def quality_answer(report: QualityReport) -> Quality:
    """Return the current problems of the picture."""
    return Quality(
        valid=report.problem is None,
        problem=report.problem,
        problems=[
            QualityProblem(problem=problem, since_s=since_s, words=PROBLEM_WORDS[problem])
            for problem, since_s in report.problems.items()
        ],
        advice=PROBLEM_ADVICE[report.problem] if report.problem else "",
    )
