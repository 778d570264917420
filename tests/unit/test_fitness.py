"""Whether masks can be measured at a camera, learnt from those who pass."""

from __future__ import annotations

import msgspec
import pytest

from contract.cameras.quality import QualityReport
from contract.errors import MessageError
from worker.condition.fitness import FitnessLearner, FitnessState

GOOD_LOOK = {"brightness": 110.0, "frontality": 0.9, "sharpness": 0.12}


def learner(heights_px: list[float], judged: int | None = None, **look: float) -> FitnessLearner:
    found = FitnessLearner()
    for number, height_px in enumerate(heights_px):
        for _ in range(4):
            found.look(**{**GOOD_LOOK, **look})
        sure = judged is None or number < judged
        found.person(height_px, "mask" if sure else "unknown")
    return found


def test_nothing_is_said_before_enough_people_have_passed() -> None:
    fitness = learner([12.0] * 19).report()
    assert (fitness.status, fitness.reasons, fitness.people) == ("learning", (), 19)
    assert FitnessLearner().report().people == 0


def test_a_camera_that_sees_large_bright_frontal_faces_can_measure_masks() -> None:
    fitness = learner([30.0, 50.0, 70.0, 90.0] * 10).report()
    assert (fitness.status, fitness.reasons) == ("fit", ())
    assert fitness.face_px is not None
    lower, median, upper = fitness.face_px
    assert 28 <= lower <= 52 <= median + 8
    assert 48 <= median <= 72 <= upper + 4


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"brightness": 20.0}, "too_dark"),
        ({"frontality": 0.2}, "too_oblique"),
        ({"sharpness": 0.01}, "too_blurred"),
    ],
)
def test_the_reason_why_not_is_named(fault: dict[str, float], reason: str) -> None:
    fitness = learner([60.0] * 30, **fault).report()
    assert (fitness.status, fitness.reasons) == ("unfit", (reason,))


def test_faces_too_small_for_half_of_the_people_are_too_small() -> None:
    assert learner([14.0, 18.0, 22.0, 40.0] * 10).report().reasons == ("too_small",)


def test_too_few_judged_is_a_reason_where_no_other_explains_it() -> None:
    assert learner([60.0] * 40, judged=20).report().reasons == ("too_few_judged",)
    assert learner([14.0] * 40, judged=0).report().reasons == ("too_small",)


def test_a_camera_that_was_hung_better_is_judged_by_how_it_is_now() -> None:
    found = learner([14.0] * 300)
    assert found.report().status == "unfit"
    for _ in range(1000):
        found.person(60.0, "no_mask")
    assert found.report().status == "fit"


def test_a_successor_learns_on_from_what_was_written() -> None:
    before = learner([30.0, 50.0, 70.0] * 10, judged=25)
    saved = msgspec.json.encode(before.state)
    after = FitnessLearner(msgspec.json.decode(saved, type=FitnessState))
    assert after.report() == before.report()
    report = QualityReport({"blurred": 5.0}, before.report())
    assert QualityReport.decode(report.encode()) == report


def test_a_report_of_the_version_before_is_read() -> None:
    former = (
        '{"v":1,"problems":{"frozen":9.0},"fitness":{"verdict":"unfit","reasons":["too_dark"]}}'
    )
    report = QualityReport.decode(former)
    assert (report.problem, report.fitness.status, report.fitness.reasons) == (
        "frozen",
        "unfit",
        ("too_dark",),
    )
    for unlike in ('{"v":1,"fitness":7}', '{"v":1,"fitness":{"verdict":"mask"}}', '{"v":0}'):
        with pytest.raises(MessageError):
            QualityReport.decode(unlike)
