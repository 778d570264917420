"""A camera's quality and fitness in plain words, with what to do about them."""

from __future__ import annotations

from typing import Any, Final

from contract.cameras.quality import PROBLEM_WORDS, Fitness, Problem, QualityReport, UnfitReason

PROBLEM_ADVICE: Final[dict[Problem, str]] = {
    "black": "The picture is dark and shows nothing: check the light, the lens and the camera.",
    "covered": "The picture shows nothing but an even shade: see what hangs before the lens.",
    "frozen": "Frames arrive, but always the same picture: restart the camera or its encoder.",
    "moved": "The view is not the one it was: turn the camera back, or leave it; after five "
    "minutes the new view is taken for its own. Check its lines and zones.",
    "blurred": "The picture has lost its detail: clean or refocus the lens.",
}

GOOD_FACE_PX: Final = 30
"""Height from which most faces can be judged: 1.5 times what `worker.verdicts.evidence` needs."""

REASON_WORDS: Final[dict[UnfitReason, str]] = {
    "too_small": "faces are too small",
    "too_dark": "faces are too dark",
    "too_oblique": "faces are turned too far away",
    "too_blurred": "faces are too blurred",
    "too_few_judged": "too few people show their face for long enough",
}

REASON_ADVICE: Final[dict[UnfitReason, str]] = {
    "too_small": "Move the camera closer, zoom in, or raise its resolution (and max_width, if that "
    f"is lower): most people's faces should be at least {GOOD_FACE_PX} px high.",
    "too_dark": "Light the place people face, or open the camera's exposure; avoid windows behind "
    "them.",
    "too_oblique": "Hang the camera lower and so that people walk towards it.",
    "too_blurred": "Focus the lens, clean it, or shorten the exposure time; less compression "
    "helps, too.",
    "too_few_judged": "Look for a place where people face the camera for a second or more.",
}


def quality_json(report: QualityReport) -> dict[str, Any]:
    """What is wrong with the picture now; `since_s` in seconds since the epoch."""
    return {
        "valid": report.problem is None,
        "problem": report.problem,
        "problems": [
            {"problem": problem, "since_s": since_s, "words": PROBLEM_WORDS[problem]}
            for problem, since_s in report.problems.items()
        ],
        "advice": PROBLEM_ADVICE[report.problem] if report.problem else "",
    }


def fitness_json(fitness: Fitness) -> dict[str, Any]:
    """Whether masks can be measured there, by whom that is known, and what to do."""
    lower, median, upper = fitness.face_px or (None, None, None)
    return {
        "verdict": fitness.verdict,
        "reasons": list(fitness.reasons),
        "words": fitness_words(fitness),
        "advice": [REASON_ADVICE[reason] for reason in fitness.reasons],
        "people": fitness.people,
        "judged_share": fitness.judged_share,
        "face_px": {"lower_quartile": lower, "median": median, "upper_quartile": upper},
        "looks": {
            "too_dark": fitness.dark_share,
            "too_oblique": fitness.oblique_share,
            "too_blurred": fitness.blurred_share,
        },
    }


def fitness_words(fitness: Fitness) -> str:
    """One sentence."""
    if fitness.verdict == "learning":
        return "Not known yet whether masks can be measured here: too few people have passed."
    if fitness.verdict == "fit":
        return "Masks can be measured here."
    reasons = [REASON_WORDS[reason] for reason in fitness.reasons]
    return f"Masks cannot be measured well here: {' and '.join(reasons)}."
