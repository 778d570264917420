"""Something of everything that Redis keeps for good, and how to tell whether it is there again."""

from __future__ import annotations

import time
from typing import Any

from redis import Redis

from bus.bus import Bus
from bus.stores.outcomes import OutcomeStore
from contract.people.outcomes import Outcome
from contract.people.people import Person
from contract.people.totals import Increments, people_field
from maskwatch import backup
from tests.accounts import make_key, make_user
from tests.alerts import add_rule, add_webhook
from tests.builders import add_camera, take_lease


def store_something(redis: Redis) -> None:
    """Store a camera with a person counted, an account, an API key, a channel and an alert rule."""
    camera = add_camera(redis, "Gate")
    count_person(redis, camera.id)
    make_user(redis)
    make_key(redis)
    channel = add_webhook(redis, "http://127.0.0.1:9/hook")
    add_rule(redis, channels=(channel.id,))


def count_person(redis: Redis, camera_id: str) -> None:
    """Commit one person as a worker does."""
    lease, outcomes = take_lease(redis, camera_id, "worker"), OutcomeStore(redis)
    sequence = outcomes.resume(camera_id).sequence + 1
    increments = Increments()
    increments.add(people_field("mask"))
    seen_s = time.time()
    person = Person(1, seen_s - 5, seen_s, 9, 40.0, "mask", 0.9, 3.0)
    outcomes.commit(lease, Outcome(sequence, 1, increments, "{}", people=(person,)))


def stored(redis: Redis) -> dict[str, Any]:
    """All that is kept for good: what a backup holds."""
    found = backup.take(Bus(redis).backups, "tests").model_dump(exclude={"made_at_s"})
    assert all(found[kind] for kind in ("cameras", "counts", "users", "api_keys", "channels"))
    return found
