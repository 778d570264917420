"""Rules evaluated over a real Redis: what opens, what closes, and who may say so."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from alerts.service import make_evaluator
from bus.bus import Bus
from bus.keys import AlertKeys, CameraKeys
from bus.stores.alert_deliveries import DeliveryStore
from bus.stores.alert_rules import AlertRuleStore
from bus.stores.alert_turn import TURN_S
from bus.stores.alerts import AlertStore
from bus.stores.cameras import CameraRegistry
from contract.alerts.alerts import Acknowledgement
from contract.cameras.quality import QualityReport
from tests.alerts import add_rule, add_webhook, alerts_process, count_people
from tests.builders import add_camera
from tests.integration.test_dashboard_hub import FakeCamera, eventually


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now_s = time.time()

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def step(redis: Redis, clock: Clock, seconds: float = 0.0, every_s: float = 5.0) -> None:
    """Evaluate as one process would for so long, beginning now."""
    evaluator, until_s = make_evaluator(Bus(redis), clock), clock.now_s + seconds
    assert evaluator.step()
    while clock.now_s < until_s:
        clock.now_s += every_s
        assert evaluator.step()
    evaluator.leave()


def open_words(redis: Redis) -> list[str]:
    return [alert.words for alert in AlertStore(redis).open()]


def test_a_camera_that_is_offline_for_long_opens_one_alert_that_closes_when_it_is_back(
    redis: Redis, clock: Clock
) -> None:
    gate = FakeCamera(redis, "Gate", group="T2")
    FakeCamera(redis, "Door")
    add_rule(redis, "offline", group="T2", when={"for_s": 60, "clear_s": 30})
    step(redis, clock)
    gate.set_state("offline", error="Nothing listens on port 554.")
    step(redis, clock, 40)
    assert open_words(redis) == []
    step(redis, clock, 120)
    [alert] = AlertStore(redis).open()
    assert (alert.camera, alert.group, alert.kind) == ("Gate", "T2", "offline")
    assert alert.words == "Nothing listens on port 554."
    gate.set_state("live")
    step(redis, clock, 60)
    assert AlertStore(redis).open() == []
    [closed] = AlertStore(redis).closed(5)
    assert (closed.id, closed.closed_words) == (alert.id, "The camera is live again.")


def test_an_open_alert_has_the_newest_finding_and_its_acknowledgement_until_it_closes(
    redis: Redis, clock: Clock
) -> None:
    gate, store = FakeCamera(redis, "Gate"), AlertStore(redis)
    add_rule(redis, "offline")
    gate.set_state("offline", error="Nothing listens on port 554.")
    step(redis, clock, 10)
    [alert] = store.open()
    assert (alert.current_words, alert.acknowledged) == (None, None)
    by_ada = Acknowledgement(by="Ada", at_s=clock.now_s)
    assert store.acknowledge(alert.id, by_ada)
    gate.set_state("offline", error="The camera refuses the password.")
    step(redis, clock)
    [alert] = store.open()
    assert alert.words == "Nothing listens on port 554."
    assert alert.current_words == "The camera refuses the password."
    assert alert.acknowledged == by_ada
    gate.set_state("live")
    step(redis, clock, 10)
    [closed] = store.closed(5)
    assert (closed.words, closed.acknowledged) == (alert.words, by_ada)
    assert not store.acknowledge(alert.id, by_ada)
    assert redis.exists(AlertKeys.CURRENT, AlertKeys.ACKNOWLEDGED) == 0


def test_ingest_that_restarts_for_some_seconds_is_no_alarm(redis: Redis, clock: Clock) -> None:
    gate = FakeCamera(redis, "Gate")
    add_rule(redis, "offline", when={"for_s": 60})
    step(redis, clock, 30)
    clock.now_s += 3600  # live for an hour, says what the gone process left
    step(redis, clock, 20)
    redis.delete(CameraKeys(gate.id).ingest_lease)
    step(redis, clock, 30)
    assert open_words(redis) == []
    step(redis, clock, 60)
    assert len(open_words(redis)) == 1


def test_an_unreliable_picture_opens_an_alert_and_a_good_one_resolves_it(
    redis: Redis, clock: Clock
) -> None:
    gate = FakeCamera(redis, "Gate")
    add_rule(redis, "quality", when={"for_s": 30, "clear_s": 6})
    gate.commit(condition=QualityReport({"frozen": time.time() - 31}))
    step(redis, clock)
    assert open_words(redis) == ["Picture frozen: counts are not valid."]
    gate.commit(condition=QualityReport())
    step(redis, clock, 5)
    assert open_words(redis) != []
    clock.now_s += 3600  # no picture comes any more: that is not "valid again"
    step(redis, clock, 60)
    assert open_words(redis) != []
    clock.now_s = time.time()
    redis.delete(AlertKeys.EVALUATED)
    gate.commit(condition=QualityReport())
    step(redis, clock, 6, every_s=2)
    assert open_words(redis) == []


def test_a_rate_opens_below_its_limit_and_closes_above_the_margin(
    redis: Redis, clock: Clock
) -> None:
    gate = FakeCamera(redis, "Gate")
    add_rule(redis, "rate")
    for ago in range(1, 8):
        count_people(redis, gate.id, ago, masked=2, bare=2, now_s=clock.now_s)
    step(redis, clock)
    [words] = open_words(redis)
    assert words == "50.0 % of 20 people in the last 5 min wore a mask; the limit is 80 %."
    for later in range(1, 8):  # 85 %: above the limit, within the margin
        count_people(redis, gate.id, -later, masked=17, bare=3, now_s=clock.now_s)
    clock.now_s += 7 * 60
    step(redis, clock)
    assert len(open_words(redis)) == 1
    for later in range(0, 8):
        count_people(redis, gate.id, -later, masked=19, bare=1, now_s=clock.now_s)
    clock.now_s += 8 * 60
    step(redis, clock)
    assert open_words(redis) == []


def test_a_gap_and_invalid_minutes_neither_open_nor_close(redis: Redis, clock: Clock) -> None:
    low, fine = FakeCamera(redis, "Low"), FakeCamera(redis, "Fine")
    add_rule(redis, "rate")
    for ago in range(1, 12):
        count_people(redis, low.id, ago, 0, 9, invalid_ms=60_000, now_s=clock.now_s)
        count_people(redis, fine.id, ago, 0, 9, now_s=clock.now_s)
    step(redis, clock)
    assert [alert.camera for alert in AlertStore(redis).open()] == ["Fine"]
    clock.now_s += 6 * 60  # nothing is analysed any more
    step(redis, clock)
    assert [alert.camera for alert in AlertStore(redis).open()] == ["Fine"]


@pytest.mark.parametrize("ends", ["rule", "rule off", "camera", "camera off", "elsewhere"])
def test_an_alert_without_its_rule_or_camera_is_closed_with_the_reason(
    redis: Redis, clock: Clock, ends: str
) -> None:
    camera = add_camera(redis, "Gate", group="T2")
    channel = add_webhook(redis, "http://127.0.0.1:9/x")
    rule = add_rule(redis, "offline", group="T2", channels=(channel.id,))
    step(redis, clock, 10)
    assert len(AlertStore(redis).open()) == 1
    rules, cameras = AlertRuleStore(redis), CameraRegistry(redis)
    {
        "rule": lambda: rules.remove(rule.id),
        "rule off": lambda: rules.update(rule, enabled=False),
        "camera": lambda: cameras.remove(camera.id),
        "camera off": lambda: cameras.update(camera.id, enabled=False),
        "elsewhere": lambda: cameras.update(camera.id, group="T1"),
    }[ends]()
    step(redis, clock)
    assert AlertStore(redis).open() == []
    [closed] = AlertStore(redis).closed(5)
    words = {
        "rule": "The rule was removed.",
        "rule off": "The rule was switched off.",
        "camera": "The camera was removed.",
        "camera off": "The camera was switched off.",
        "elsewhere": "The rule no longer covers this camera.",
    }
    assert closed.closed_words == words[ends]
    assert {d.event for d in DeliveryStore(redis).waiting().values()} == {"opened", "closed"}
    assert AlertStore(redis).watches() == {}


def test_one_process_evaluates_and_another_takes_over_when_it_is_gone(
    redis: Redis, clock: Clock
) -> None:
    add_camera(redis, "Gate")
    add_rule(redis, "offline")
    first, second = make_evaluator(Bus(redis), clock), make_evaluator(Bus(redis), clock)
    assert first.step()
    assert not second.step()
    assert 0 < redis.pttl(AlertKeys.EVALUATOR) <= TURN_S * 1000
    redis.delete(AlertKeys.EVALUATOR)  # its time ran out
    clock.now_s += 10
    assert second.step()
    assert not first.step()
    second.leave()
    assert first.step()
    assert len(AlertStore(redis).open()) == 1


def test_a_step_that_takes_long_keeps_the_lock_as_long_as_it_works(
    redis: Redis, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_camera(redis, "Gate")
    for number in range(5):
        add_rule(redis, "offline", f"rule {number}")
    evaluator, left_ms = make_evaluator(Bus(redis), clock), []
    look = evaluator._look_at

    def slow(*arguments: Any) -> None:
        left_ms.append(redis.pttl(AlertKeys.EVALUATOR))
        look(*arguments)
        redis.pexpire(AlertKeys.EVALUATOR, int(TURN_S * 400))  # most of its time is over

    monkeypatch.setattr(evaluator, "_look_at", slow)
    assert evaluator.step()
    assert len(left_ms) == 5
    assert min(left_ms) > TURN_S * 500


def test_a_process_that_was_paused_past_its_lock_changes_nothing(
    redis: Redis, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_camera(redis, "Gate")
    channel = add_webhook(redis, "http://127.0.0.1:9/x")
    add_rule(redis, "offline", channels=(channel.id,))
    paused, other = make_evaluator(Bus(redis), clock), make_evaluator(Bus(redis), clock)
    assert paused.step()
    clock.now_s += 10

    def slept() -> bool:
        redis.delete(AlertKeys.EVALUATOR)
        return other._turn.take()  # while it slept

    monkeypatch.setattr(paused._turn, "take", slept)
    assert not paused.step()
    assert AlertStore(redis).open() == []
    assert DeliveryStore(redis).waiting() == {}
    assert other.step()
    assert len(AlertStore(redis).open()) == 1


def test_an_alert_that_opened_as_its_process_died_is_delivered_by_the_next(
    redis: Redis, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_camera(redis, "Gate")
    channel = add_webhook(redis, "http://127.0.0.1:9/x")
    add_rule(redis, "offline", channels=(channel.id,))
    dying = make_evaluator(Bus(redis), clock)
    assert dying.step()
    clock.now_s += 10
    with monkeypatch.context() as patch:
        patch.setattr(DeliveryStore, "requeue", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            dying.step()
    dying.leave()
    [alert] = AlertStore(redis).open()
    assert redis.llen("rq:queue:maskwatch-alerts") == 0
    step(redis, clock, 30)
    assert [found.id for found in AlertStore(redis).open()] == [alert.id]
    [delivery] = DeliveryStore(redis).waiting().values()
    assert delivery.id == f"{alert.id}-opened-{channel.id}"
    assert redis.lrange("rq:queue:maskwatch-alerts", 0, -1) == [delivery.id.encode()]


def test_what_one_camera_or_rule_left_unreadable_silences_nothing_else(
    redis: Redis, clock: Clock
) -> None:
    broken, well = FakeCamera(redis, "Broken"), FakeCamera(redis, "Well")
    add_rule(redis, "offline", "away")
    rule = add_rule(redis, "rate", "low")
    for camera in (broken, well):
        for ago in range(1, 8):
            count_people(redis, camera.id, ago, 0, 9, now_s=clock.now_s)
    step(redis, clock)
    assert {alert.camera for alert in AlertStore(redis).open()} == {"Broken", "Well"}
    redis.set(CameraKeys(broken.id).status, "{")
    redis.set(CameraKeys(broken.id).day(int(clock.now_s // 86400)), b"?")
    redis.hset(AlertKeys.RULES, rule.id, "{}")
    well.set_state("offline")
    step(redis, clock, 120)
    found = {(alert.rule, alert.camera) for alert in AlertStore(redis).open()}
    assert found == {("away", "Well"), ("low", "Broken"), ("low", "Well")}
    redis.hset(AlertKeys.RULES, rule.id, rule.model_dump_json())
    step(redis, clock, 60)
    assert ("low", "Broken") in {(a.rule, a.camera) for a in AlertStore(redis).open()}


def test_a_process_that_ends_lets_another_take_over_at_once(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    with alerts_process(redis_url, tmp_path / "log") as process:
        assert eventually(lambda: redis.exists(AlertKeys.EVALUATOR) == 1, 60)
        assert eventually(lambda: AlertStore(redis).evaluator_lives())
        process.terminate()
        assert process.wait(30) == 0
        assert redis.exists(AlertKeys.EVALUATOR) == 0
