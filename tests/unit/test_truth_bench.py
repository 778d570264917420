"""Counted tracks are matched to true people, and figures follow from that."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.scenes.clip_truth import ClipTruth, Span, TruePerson
from benchmarks.truth.looks import whose
from benchmarks.truth.matching import Sighting, answers, noticed_after_s, sightings
from benchmarks.truth.scores import ClipScore, rate, reliability, summary
from contract.people.faces import Face, FrameFaces
from contract.people.people import Person
from contract.people.verdicts import Verdict

FPS = 10


def true_person(
    who: str, x: float, *stretches: tuple[int, int, str], counts: bool = True
) -> TruePerson:
    """Somebody whose face stays at `x`; stretches are frames and a state, "" for unjudgeable."""
    spans = tuple(
        Span(
            bool(state),
            state or "unknown",
            np.array([[frame, x, 0, x + 30, 40] for frame in (begin, end)], np.float64),
        )
        for begin, end, state in stretches
    )
    return TruePerson(who, stretches[-1][2] or "unknown", counts, spans)


def clip_truth(*people: TruePerson, camera: str = "fixed") -> ClipTruth:
    return ClipTruth("made up", FPS, camera, people)


def person(track_id: int, verdict: Verdict, confidence: float = 0.9) -> Person:
    return Person(track_id, 0.0, 2.0, 20, 40.0, verdict, confidence, 1.0)


def film(*tracks: tuple[int, float, range, Verdict]) -> list[tuple[int, float, FrameFaces]]:
    """Frames in which tracks are at `x` for a range of frames, and what the screen says."""
    last = max(numbers.stop for _, _, numbers, _ in tracks)
    return [
        (
            number,
            number / FPS,
            FrameFaces(
                "cam",
                number + 1,
                number + 1,
                1000.0,
                1000.0,
                640,
                360,
                "made up",
                tuple(
                    Face((x, 0.0, x + 30.0, 40.0), 0.9, verdict, 0.9, track_id)
                    for track_id, x, numbers, verdict in tracks
                    if number in numbers
                ),
            ),
        )
        for number in range(last)
    ]


def score(
    truth: ClipTruth, people: list[Person], frames: list[tuple[int, float, FrameFaces]]
) -> ClipScore:
    return ClipScore(truth, tuple(answers(truth, people, sightings(truth, frames))), ())


def test_a_person_followed_by_two_tracks_is_split() -> None:
    truth = clip_truth(true_person("ann", 100, (0, 19, "mask")))
    frames = film((1, 100, range(10), "mask"), (2, 102, range(10, 20), "mask"))
    found = score(truth, [person(1, "mask"), person(2, "mask")], frames)
    assert (found.split, found.missed, found.ghosts, found.count_error) == (1, [], 0, 1)


def test_two_people_on_one_track_are_merged_and_one_of_them_is_missed() -> None:
    truth = clip_truth(
        true_person("ann", 100, (0, 11, "mask")), true_person("bob", 300, (12, 19, "no_mask"))
    )
    frames = film((1, 100, range(12), "mask"), (1, 300, range(12, 20), "mask"))
    found = score(truth, [person(1, "mask")], frames)
    assert (found.merged, found.missed, found.split) == (1, ["bob"], 0)
    assert found.answers[0].who == "ann"


def test_a_track_on_nobodys_face_is_a_ghost_even_if_it_brushes_somebody() -> None:
    truth = clip_truth(true_person("ann", 100, (0, 1, "mask")))
    frames = film((1, 100, range(2), "mask"), (1, 400, range(2, 20), "mask"))
    found = score(truth, [person(1, "mask")], frames)
    assert (found.ghosts, found.beside, found.missed) == (1, 0, ["ann"])


def test_whom_the_eye_does_not_count_is_neither_too_many_nor_told() -> None:
    truth = clip_truth(true_person("from behind", 100, (0, 19, ""), counts=False))
    found = score(truth, [person(1, "no_mask")], film((1, 100, range(20), "no_mask")))
    assert (found.beside, found.ghosts, found.count_error, found.told) == (1, 0, 0, [])


def test_a_track_is_judged_by_the_part_of_the_time_that_it_saw() -> None:
    truth = clip_truth(true_person("ann", 100, (0, 9, "no_mask"), (10, 39, "mask")))
    frames = film((1, 100, range(9), "no_mask"), (2, 100, range(9, 40), "mask"))
    people = [person(1, "no_mask"), person(2, "mask")]
    given = answers(truth, people, sightings(truth, frames))
    assert [answer.truth for answer in given] == ["no_mask", "mask"]


def test_a_track_that_saw_only_a_back_is_held_to_what_the_person_wears() -> None:
    truth = clip_truth(true_person("ann", 100, (0, 9, ""), (10, 39, "mask")))
    given = answers(
        truth,
        [person(1, "no_mask")],
        sightings(truth, film((1, 100, range(10), "no_mask"))),
    )
    assert (given[0].truth, given[0].saw) == ("mask", False)
    assert summary([ClipScore(truth, tuple(given), ())])["blind_answers"] == 1


def test_a_change_is_noticed_when_the_screen_says_so() -> None:
    ann = true_person("ann", 100, (0, 9, "no_mask"), (10, 39, "mask"), (40, 59, "no_mask"))
    times_s = np.arange(60) / FPS
    seen = [
        Sighting(n, n / FPS, 1, (100, 0, 130, 40), "mask" if n >= 17 else "no_mask", "ann", state)
        for n, state in enumerate(["no_mask"] * 10 + ["mask"] * 30 + ["no_mask"] * 20)
    ]
    assert noticed_after_s(ann, seen, times_s) == [
        ("no_mask to mask", pytest.approx(0.7)),
        ("mask to no_mask", None),
    ]
    assert len(noticed_after_s(ann, seen[30:], times_s)) == 1, "the first change was not in view"


def test_the_rate_leaves_out_whom_nobody_could_judge() -> None:
    assert rate(["mask", "mask", "no_mask", "incorrect", "unknown"]) == 0.5
    assert rate(["unknown"]) is None


def test_errors_of_the_rate_are_averaged_over_clips_with_many_people() -> None:
    def of(masked: int, said_masked: int, bare: int) -> ClipScore:
        states = ["mask"] * masked + ["no_mask"] * bare
        people = [true_person(str(k), 50.0 * k, (0, 19, state)) for k, state in enumerate(states)]
        said: list[Verdict] = ["mask"] * said_masked + ["no_mask"] * (len(states) - said_masked)
        tracks = [(k + 1, 50.0 * k, range(20), verdict) for k, verdict in enumerate(said)]
        counted = [person(k + 1, verdict) for k, verdict in enumerate(said)]
        return score(clip_truth(*people), counted, film(*tracks))

    found = summary([of(10, 8, 0), of(5, 5, 5), of(1, 0, 0)])
    assert found["rate_error"] == pytest.approx(0.1)
    assert found["rate_error_over_clips"] == 2
    assert (found["masked_called_bare"], found["told"]) == (3, 21)
    assert found["masked_called_bare_share"] == round(3 / 21, 3)


def test_too_many_in_one_clip_do_not_make_up_for_too_few_in_another() -> None:
    ann, bob = (true_person(who, x, (0, 19, "mask")) for who, x in (("ann", 100), ("bob", 300)))
    frames = film((1, 100, range(10), "mask"), (2, 100, range(10, 20), "mask"))
    twice = score(clip_truth(ann), [person(1, "mask"), person(2, "mask")], frames)
    one_of_two = score(clip_truth(ann, bob), [person(1, "mask")], frames)
    assert summary([twice, one_of_two])["count_error_fixed"] == round(2 / 3, 3)
    assert summary([twice, one_of_two])["count_error_moving"] is None


def test_reliability_compares_what_is_said_with_what_is_right() -> None:
    ann = clip_truth(true_person("ann", 100, (0, 19, "mask")))
    frames = film((1, 100, range(20), "mask"))
    told = [
        *score(ann, [person(1, "mask", 0.92)], frames).told,
        *score(ann, [person(1, "no_mask", 0.94)], frames).told,
        *score(ann, [person(1, "unknown", 0.0)], frames).told,
    ]
    assert reliability(told) == [{"n": 2, "said": 0.93, "right": 0.5}]


def test_a_look_knows_whose_it_is_and_whether_the_eye_could_tell() -> None:
    truth = clip_truth(true_person("ann", 100, (0, 4, ""), (5, 9, "mask")))
    boxes = np.array([[101, 1, 131, 41], [101, 1, 131, 41], [400, 0, 430, 40]], np.float32)
    labels = whose(truth, {"frame": np.array([2, 7, 7]), "box": boxes})
    assert list(labels["who"]) == ["ann", "ann", ""]
    assert list(labels["state"]) == ["unknown", "mask", "unknown"]
