"""Stored sums: whatever was packed, added late, expired or lost, they equal the minutes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from bus.keys import CameraKeys
from bus.members.leases import Lease
from bus.stores.cameras import CameraRegistry
from bus.stores.day_sums import DAY_QUARTERS, SHEET_DAYS, Sheet, sheet_of
from bus.stores.history import DAY_S, HistoryStore
from bus.stores.packed_days import pack_day
from bus.stores.sheets import Allowance
from contract.cameras.camera import Camera
from contract.errors import HistoryNotSummedError, MessageError
from contract.people.minutes import (
    ANALYSED_MS,
    DAY_MINUTES,
    FRAMES,
    LONGEST_HISTORY_DAYS,
    MINUTE_S,
    invalid_column,
    minute_of,
    open_field,
    people_column,
)
from contract.people.verdicts import VERDICTS
from reports.periods import PeriodSummary, summarise
from reports.report import Point, make_report
from reports.time_range import cut
from tests.builders import add_camera, take_lease

ZONES: Final = [
    "UTC",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Pacific/Chatham",
    "Australia/Lord_Howe",  # changes its clocks by half an hour
]
CHANGES: Final = [
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2026, 10, 3, 15, 30, tzinfo=UTC),
    datetime(2026, 9, 26, 14, tzinfo=UTC),
]
COLUMNS: Final = [*map(people_column, VERDICTS), FRAMES, ANALYSED_MS, invalid_column("frozen")]
NOW_S: Final = time.time()
TODAY: Final = minute_of(NOW_S) // DAY_MINUTES


def store(redis: Redis) -> HistoryStore:
    return HistoryStore(redis, LONGEST_HISTORY_DAYS)


def add(redis: Redis, camera_id: str, amounts: Mapping[tuple[int, str], int]) -> None:
    """Leave amounts open, as commits do."""
    for (minute, column), amount in amounts.items():
        redis.hincrby(CameraKeys(camera_id).minutes, open_field(minute, column), amount)


def pack(redis: Redis, lease: Lease) -> None:
    store(redis).pack_if_grown(lease, above_fields=0)


def figures(point: Point) -> tuple[object, ...]:
    """Everything that an answer says of a point."""
    invalid_s = {name: amount for name, amount in point.invalid_s.items() if amount}
    return point.people, point.rate, point.watched_ms, point.analysed_s, point.missing_s, invalid_s


def summary(
    redis: Redis, cameras: list[Camera], from_s: float, to_s: float, zone: tzinfo = UTC
) -> PeriodSummary:
    return summarise(store(redis), cameras, {}, from_s, to_s, zone, NOW_S)


def report(redis: Redis, cameras: list[Camera], point: Point) -> Point:
    """The same range as the compliance API adds it up: from the minutes."""
    whole = cut(point.from_s, point.to_s, LONGEST_HISTORY_DAYS * DAY_S, UTC)
    return make_report(store(redis), cameras, {}, whole, NOW_S).total


def week_by_hand(
    redis: Redis, cameras: list[Camera], span: Point, zone: tzinfo
) -> Counter[tuple[int, int, str]]:
    found: Counter[tuple[int, int, str]] = Counter()
    ids, days = [camera.id for camera in cameras], (span.from_s // DAY_S, span.to_s // DAY_S)
    for _, day, columns in store(redis).days(ids, *days):
        for verdict in VERDICTS:
            amounts = columns.get(people_column(verdict), np.zeros(DAY_MINUTES, np.int64))
            for minute in np.flatnonzero(amounts):
                at_s = (day * DAY_MINUTES + int(minute)) * MINUTE_S
                if span.from_s <= at_s < span.to_s:
                    local = datetime.fromtimestamp(at_s, zone)
                    found[local.weekday(), local.hour, verdict] += int(amounts[minute])
    return found


def week_of(found: PeriodSummary) -> Counter[tuple[int, int, str]]:
    return +Counter(
        {
            (day, hour, verdict): count
            for day, hours in enumerate(found.week)
            for hour, one in enumerate(hours)
            for verdict, count in one.people.items()
        }
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.data())
def test_sums_equal_minutes_for_any_data_zone_and_change_of_clocks(
    redis: Redis, data: st.DataObject
) -> None:
    redis.flushall()
    zone = ZoneInfo(data.draw(st.sampled_from(ZONES)))
    change = minute_of(data.draw(st.sampled_from(CHANGES)).timestamp())
    # Close together, so that a cut quarter has amounts on both sides of the cut.
    near = st.builds(
        lambda day, minute: change + day * DAY_MINUTES + minute,
        st.integers(-3, 3),
        st.integers(-4, 26),
    )
    amounts = st.dictionaries(
        st.tuples(near, st.sampled_from(COLUMNS)), st.integers(1, 90_000), max_size=12
    )
    cameras = [add_camera(redis, name, group=group, created_at_s=change * 60.0 - 99_999.123)
               for name, group in (("A", "North"), ("B", ""))]  # fmt: skip
    leases = [take_lease(redis, camera.id, "worker") for camera in cameras]
    from_minute, to_minute = sorted(data.draw(st.lists(near, min_size=2, max_size=2, unique=True)))
    span_s = (from_minute * MINUTE_S, to_minute * MINUTE_S)
    for _ in range(data.draw(st.integers(1, 3))):
        for camera, lease in zip(cameras, leases, strict=True):
            add(redis, camera.id, data.draw(amounts))
            if data.draw(st.booleans()):
                pack(redis, lease)
        if data.draw(st.booleans()):
            summary(redis, cameras, *span_s, zone)  # makes sheets on the way
    found = summary(redis, cameras, *span_s, zone)
    assert (found.period.from_s, found.period.to_s) == span_s
    for one in found.cameras:
        for point in (one.period, one.before):
            assert figures(point) == figures(report(redis, [one.camera], point))
    for point in (found.period, found.before):
        assert figures(point) == figures(report(redis, cameras, point))
    assert week_of(found) == week_by_hand(redis, cameras, found.period, zone)


def busy(redis: Redis, days: int = 3) -> tuple[Camera, Lease]:
    """A camera with people every hour of the last days, all of them packed."""
    camera = add_camera(redis, created_at_s=NOW_S - 50 * DAY_S)
    lease = take_lease(redis, camera.id, "worker")
    first = (TODAY - days + 1) * DAY_MINUTES
    minutes = range(first, minute_of(NOW_S), 60)
    add(redis, camera.id, {(minute, people_column("mask")): 2 for minute in minutes})
    add(redis, camera.id, {(minute, FRAMES): 300 for minute in minutes})
    pack(redis, lease)
    return camera, lease


def people(redis: Redis, camera: Camera, days: int = 3) -> int:
    from_s = (TODAY - days + 1) * DAY_S
    return summary(redis, [camera], from_s, NOW_S + 60).period.people["mask"]


def test_packing_keeps_the_sums_so_that_a_reader_makes_none(redis: Redis) -> None:
    camera, _ = busy(redis)
    last = sheet_of(TODAY)
    stored = redis.get(CameraKeys(camera.id).sums(last))
    assert stored
    history = store(redis).sums(
        camera.id, max(TODAY - 2, last * SHEET_DAYS), TODAY, (), Allowance(0)
    )
    assert list(history.days) == [TODAY]
    assert redis.get(CameraKeys(camera.id).sums(last)) == stored


def test_days_that_an_older_version_packed_are_added_up_once(redis: Redis) -> None:
    camera, _ = busy(redis)
    expected = people(redis, camera)
    names = CameraKeys(camera.id)
    for key in redis.scan_iter(f"{names.minutes}:sums:*"):
        redis.delete(key)
    assert people(redis, camera) == expected
    assert redis.exists(names.sums(sheet_of(TODAY)))
    # From now on the sums are read: the days themselves are not.
    if sheet_of(TODAY - 1) == sheet_of(TODAY):
        redis.delete(names.day(TODAY - 1))
        assert people(redis, camera) == expected


def test_a_reader_adds_up_only_so_much_at_once_and_gets_further_each_time(redis: Redis) -> None:
    camera, _ = busy(redis, days=3 * SHEET_DAYS)
    for key in redis.scan_iter("*:sums:*"):
        redis.delete(key)
    ask = (camera.id, TODAY - 3 * SHEET_DAYS, TODAY, ())
    for _ in range(10):
        try:
            store(redis).sums(*ask, Allowance(1))
            break
        except HistoryNotSummedError:
            continue
    assert 3 <= len(list(redis.scan_iter("*:sums:*"))) <= 4
    store(redis).sums(*ask, Allowance(0))


def test_a_sheet_that_cannot_be_read_is_made_again(redis: Redis) -> None:
    camera, lease = busy(redis)
    expected, key = people(redis, camera), CameraKeys(camera.id).sums(sheet_of(TODAY))
    for damaged in (b"9later", b"1no zlib", (redis.get(key) or b"")[:-9]):
        redis.set(key, damaged)
        assert people(redis, camera) == expected
        assert Sheet.decode(sheet_of(TODAY), redis.get(key) or b"")
        redis.set(key, damaged)
        add(redis, camera.id, {(TODAY * DAY_MINUTES, people_column("mask")): 1})
        pack(redis, lease)
        expected += 1
        assert people(redis, camera) == expected


def test_the_sums_of_a_day_count_no_longer_than_the_day_itself(redis: Redis) -> None:
    camera = add_camera(redis, created_at_s=NOW_S - 50 * DAY_S)
    lease = take_lease(redis, camera.id, "worker")
    for day, count in ((TODAY - 2, 5), (TODAY, 3)):
        add(redis, camera.id, {(day * DAY_MINUTES, people_column("mask")): count})
    HistoryStore(redis, 3).pack_if_grown(lease, above_fields=0)
    assert people(redis, camera) == 8
    names, number = CameraKeys(camera.id), sheet_of(TODAY - 2)
    sheet = Sheet.decode(number, redis.get(names.sums(number)) or b"")
    expires_at_s = (TODAY - 2 + 1 + 3) * DAY_S
    assert sheet.expires_at_s[TODAY - 2 - number * SHEET_DAYS] == expires_at_s
    [alive] = [sheet.without(frozenset(), expires_at_s - 1)[people_column("mask")]]
    assert alive.sum() >= 5
    gone = sheet.without(frozenset(), expires_at_s)[people_column("mask")]
    assert alive.sum() - gone.sum() == 5
    last = sheet_of(TODAY)
    assert 0 < redis.ttl(names.sums(last)) <= 4 * DAY_S


def test_the_time_to_live_of_a_packed_day_is_kept_when_its_sums_are_made_later(
    redis: Redis,
) -> None:
    camera, _ = busy(redis)
    names, number = CameraKeys(camera.id), sheet_of(TODAY)
    redis.delete(names.sums(number))
    people(redis, camera)
    sheet = Sheet.decode(number, redis.get(names.sums(number)) or b"")
    place = TODAY - number * SHEET_DAYS
    assert sheet.expires_at_s[place] == (TODAY + 1 + LONGEST_HISTORY_DAYS) * DAY_S


def test_sums_are_not_stored_where_a_day_was_packed_after_it_was_read(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera, lease = busy(redis)
    names, number = CameraKeys(camera.id), sheet_of(TODAY)
    redis.delete(names.sums(number))
    history = store(redis)
    add_up = history._sheets.add_up

    def overtaken(*asked: object) -> object:
        made = add_up(*asked)  # type: ignore[arg-type]
        add(redis, camera.id, {(TODAY * DAY_MINUTES, people_column("mask")): 7})
        pack(redis, lease)
        redis.delete(names.sums(number))
        return made

    monkeypatch.setattr(history._sheets, "add_up", overtaken)
    history.sums(camera.id, TODAY, TODAY)
    assert not redis.exists(names.sums(number))


def test_a_removed_cameras_sums_go_with_it(redis: Redis) -> None:
    camera, _ = busy(redis)
    people(redis, camera, days=200)
    CameraRegistry(redis).remove(camera.id)
    assert not redis.keys(f"*{camera.id}*")


def test_a_day_that_cannot_be_read_is_an_error_as_in_every_other_answer(redis: Redis) -> None:
    camera, lease = busy(redis)
    names, number = CameraKeys(camera.id), sheet_of(TODAY)
    broken = TODAY - 1 if sheet_of(TODAY - 1) == number else TODAY + 1
    redis.set(names.day(broken), b"?")
    redis.delete(names.sums(number))
    with pytest.raises(MessageError):
        store(redis).sums(camera.id, broken, broken, ())
    # A worker packs on, and leaves the sums to whoever mends the day.
    add(redis, camera.id, {(TODAY * DAY_MINUTES, people_column("mask")): 1})
    pack(redis, lease)
    assert not redis.exists(names.sums(number))
    redis.delete(names.day(broken))
    assert store(redis).sums(camera.id, TODAY, TODAY).days[TODAY]


def test_a_sheet_is_what_was_encoded(redis: Redis) -> None:
    random = np.random.default_rng(4)
    for most in (2, 300, 70_000, 2**33):
        columns = {
            FRAMES: random.integers(0, most, DAY_MINUTES),
            ANALYSED_MS: np.full(1440, 70_000),
        }
        sheet = Sheet.empty(3).with_day(3 * SHEET_DAYS + 5, columns, 99)
        back = Sheet.decode(3, sheet.encode())
        assert back.expires_at_s.tolist() == sheet.expires_at_s.tolist()
        sums = columns[FRAMES].reshape(DAY_QUARTERS, -1).sum(1)
        assert np.array_equal(back.columns[FRAMES][5], sums)
        assert (back.columns[ANALYSED_MS][5] == 15 * 60_000).all()


def test_a_week_before_a_packed_day_has_no_people(redis: Redis) -> None:
    camera = add_camera(redis)
    found = summary(redis, [camera], NOW_S - 9 * DAY_S, NOW_S)
    assert found.period.is_gap
    assert all(hour.is_gap for hours in found.week for hour in hours)
    assert summary(redis, [], NOW_S - DAY_S, NOW_S).groups == ()


def test_an_unexpiring_day_is_kept(redis: Redis) -> None:
    camera = add_camera(redis, created_at_s=0.0)
    minutes = np.zeros(DAY_MINUTES, np.int64)
    minutes[3] = 4
    redis.set(CameraKeys(camera.id).day(TODAY - 1), pack_day({people_column("mask"): minutes}))
    assert [people(redis, camera) for _ in range(2)] == [4, 4]
