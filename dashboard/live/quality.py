"""What is wrong with a camera's picture, in plain words, with what to do about it."""

from __future__ import annotations

from typing import Final

from contract.cameras.quality import PROBLEM_WORDS, Problem, QualityReport
from dashboard.live.answers import Quality, QualityProblem

PROBLEM_ADVICE: Final[dict[Problem, str]] = {
    "black": "The picture is dark and shows nothing: check the light, the lens and the camera.",
    "covered": "The picture shows nothing but an even shade: see what hangs before the lens.",
    "frozen": "Frames arrive, but always the same picture: restart the camera or its encoder.",
    "moved": "The view is not the one it was: turn the camera back, or leave it; after five "
    "minutes the new view is taken for its own. Check its lines and zones.",
    "blurred": "The picture has lost its detail: clean or refocus the lens.",
}


def quality_answer(report: QualityReport) -> Quality:
    """What is wrong with the picture now."""
    return Quality(
        valid=report.problem is None,
        problem=report.problem,
        problems=[
            QualityProblem(problem=problem, since_s=since_s, words=PROBLEM_WORDS[problem])
            for problem, since_s in report.problems.items()
        ],
        advice=PROBLEM_ADVICE[report.problem] if report.problem else "",
    )
