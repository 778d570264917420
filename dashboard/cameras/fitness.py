"""Whether masks can be measured at a camera, in plain words, with what to do about it."""

from __future__ import annotations

from typing import Final

from contract.cameras.quality import Fitness, UnfitReason
from dashboard.cameras.answers import FacePx, FitnessAnswer

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


def fitness_answer(camera_id: str, fitness: Fitness) -> FitnessAnswer:
    """Return whether masks can be measured at a camera, the evidence, and what to do."""
    lower, median, upper = fitness.face_px or (None, None, None)
    return FitnessAnswer(
        camera_id=camera_id,
        status=fitness.status,
        verdict=fitness.status,
        reasons=list(fitness.reasons),
        words=fitness_words(fitness),
        advice=[REASON_ADVICE[reason] for reason in fitness.reasons],
        people=fitness.people,
        judged_share=fitness.judged_share,
        face_px=FacePx(lower_quartile=lower, median=median, upper_quartile=upper),
        looks={
            "too_dark": fitness.dark_share,
            "too_oblique": fitness.oblique_share,
            "too_blurred": fitness.blurred_share,
        },
    )


def fitness_words(fitness: Fitness) -> str:
    """One sentence."""
    if fitness.status == "learning":
        return "Not known yet whether masks can be measured here: too few people have passed."
    if fitness.status == "fit":
        return "Masks can be measured here."
    reasons = [REASON_WORDS[reason] for reason in fitness.reasons]
    return f"Masks cannot be measured well here: {' and '.join(reasons)}."
