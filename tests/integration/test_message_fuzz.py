"""Malformed messages in Redis stop nobody; `benchmarks.stream_fuzz` has ten thousand of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis

from benchmarks.stream_fuzz import fuzz_frames, fuzz_records
from bus.stores.recordings import RecordingStore
from tests.builders import ScriptedClassifier, ScriptedDetector
from worker.networks import Networks

BOX = (100.0, 80.0, 160.0, 150.0)


@pytest.fixture
def networks() -> Networks:
    detector = ScriptedDetector([[BOX]] * 2000)
    return Networks(lambda name: detector, "yunet", ScriptedClassifier())


def test_malformed_frames_are_counted_by_cause_and_the_next_good_one_is_analysed(
    redis: Redis, networks: Networks
) -> None:
    found = fuzz_frames(redis, networks, 400)
    assert found.crashes == []
    assert found.uncounted == 0, found.outcomes
    assert found.counted_twice <= found.fed["another number"], found.outcomes
    assert found.good_analysed == 1
    assert found.outcomes["malformed"] > 100
    assert found.outcomes["undecodable"] > 30
    assert found.outcomes["stale"] > 3


def test_malformed_records_stop_neither_a_dashboard_nor_a_takeover(
    redis: Redis, networks: Networks, tmp_path: Path
) -> None:
    found = fuzz_records(redis, networks, 440, RecordingStore(redis, tmp_path, 3600))
    assert found.crashes == []
