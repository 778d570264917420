"""A month of minutes for one camera, as a worker would have left them; made up, always the same."""

from __future__ import annotations

import time
from typing import Final

import numpy as np
from redis import Redis

from bus.keys import CameraKeys
from bus.stores.cameras import CameraRegistry
from bus.stores.packed_days import Minutes, pack_day
from contract.cameras.camera import Camera
from contract.people.minutes import (
    ANALYSED_MS,
    DAY_MINUTES,
    FACES,
    FRAMES,
    MINUTE_S,
    invalid_column,
    minute_of,
    people_column,
)
from contract.people.verdicts import Verdict

DAYS: Final = 31
SHARES: Final[dict[Verdict, float]] = {
    "mask": 0.84,
    "incorrect": 0.05,
    "no_mask": 0.08,
    "unknown": 0.03,
}
OUTAGE: Final = slice(2 * 60, 4 * 60 + 20)
"""Minutes of every day (UTC) in which nothing was analysed."""
FROZEN: Final = slice(9 * 60 + 10, 9 * 60 + 55)


def write_past(redis: Redis, camera: Camera, seed: int = 1) -> None:
    """Store `DAYS` days until now, busiest in the morning and the evening."""
    now = minute_of(time.time())
    today = now // DAY_MINUTES
    created_s = float((today - DAYS) * DAY_MINUTES * MINUTE_S)
    registry = CameraRegistry(redis)
    older = camera.model_copy(update={"created_at_s": created_s})
    registry.apply(registry.revision(), [older], [])
    random = np.random.default_rng(seed)
    for day in range(today - DAYS + 1, today + 1):
        columns = _day(random)
        if day == today:
            for amounts in columns.values():
                amounts[now % DAY_MINUTES :] = 0
        redis.set(CameraKeys(camera.id).day(day), pack_day(columns))


def _day(random: np.random.Generator) -> dict[str, Minutes]:
    minute = np.arange(DAY_MINUTES)
    rush = sum(np.exp(-(((minute - at * 60) / 90) ** 2)) for at in (8, 17.5))
    people = random.poisson(0.1 + 2.2 * rush * random.uniform(0.7, 1.2))
    analysed = np.ones(DAY_MINUTES, bool)
    analysed[OUTAGE] = False
    people[~analysed] = 0
    verdicts = random.multinomial(people, list(SHARES.values()))
    columns = {people_column(v): verdicts[:, i] for i, v in enumerate(SHARES)}
    columns[FACES] = people * 30
    columns[FRAMES] = analysed * 300
    columns[ANALYSED_MS] = analysed * random.integers(58_000, 60_001, DAY_MINUTES)
    frozen = np.zeros(DAY_MINUTES, np.int64)
    frozen[FROZEN] = MINUTE_S * 1000
    columns[invalid_column("frozen")] = frozen
    return {name: np.asarray(amounts, np.int64) for name, amounts in columns.items()}
