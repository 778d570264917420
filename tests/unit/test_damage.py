"""Damage of recordings, told with its times."""

from __future__ import annotations

import pytest

from runtime.video.film_time import FilmTime
from worker.uploads.damage import MOST_SPANS, Damage

STEP_S = 0.1


def told(events: str) -> Damage:
    """Return the damage of a film: `.` a picture, `b` a broken one, `x` an error, `-` a hole."""
    damage, time_s = Damage(), 0.0
    for event in events:
        if event == "x":
            damage.skip()
            continue
        if event != "-":
            damage.picture(round(time_s, 3), event != "b")
        time_s += STEP_S
    damage.end()
    return damage


@pytest.mark.parametrize(
    ("events", "skipped", "spans"),
    [
        ("." * 30, 0, []),
        ("." * 10 + "-" * 10 + "." * 10, 0, []),  # a film of varying rate
        ("." * 10 + "x" + "-" * 5 + "." * 10, 1, [(0.9, 1.5)]),
        ("." * 10 + "x..." + "-" * 5 + "." * 10, 1, [(1.2, 1.8)]),  # several threads decode
        ("." * 10 + "-" * 5 + ".x" + "." * 10, 1, [(0.9, 1.5)]),  # the container leapt first
        ("." * 10 + "b" + "-" * 5 + "." * 10, 1, [(1.0, 1.6)]),
        ("." * 10 + "bbb" + "." * 20, 3, [(1.0, 1.0)]),
        ("." * 10 + "x" + "." * 20, 1, [(0.9, 0.9)]),
        ("." * 10 + "x--" + "." * 3 + "x--" + "." * 10, 2, [(0.9, 1.7)]),
        ("." * 10 + "x", 1, [(0.9, 0.9)]),
    ],
)
def test_damage_is_told_from_the_last_picture_before_it_to_the_first_after_it(
    events: str, skipped: int, spans: list[tuple[float, float]]
) -> None:
    damage = told(events)
    assert (damage.skipped, damage.spans) == (skipped, spans)
    assert damage.seconds() == pytest.approx(sum(to_s - from_s for from_s, to_s in spans))


def test_a_wholly_damaged_film_is_told_in_few_words() -> None:
    damage = told(("x" + "-" * 20 + "." * 20) * 300)
    assert (damage.skipped, len(damage.spans)) == (300, MOST_SPANS)


def test_a_stray_timestamp_is_no_other_film() -> None:
    time = FilmTime(10)
    stamps = [number / 10 for number in range(50)]
    for number in (10, 30):
        stamps[number] += 36_000.0
    stamps[20] -= 9_800.0
    found = [(time.seconds(stamp), time.joined) for stamp in stamps]
    assert [joined for _, joined in found] == [False] * 50
    assert [round(seconds, 3) for seconds, _ in found] == [number / 10 for number in range(50)]


def test_timestamps_without_any_order_are_a_film_at_its_rate() -> None:
    time = FilmTime(10)
    found = [time.seconds(number * 7919.0 % 100_000) for number in range(50)]
    assert found == pytest.approx([number / 10 for number in range(50)])
    assert not time.joined
