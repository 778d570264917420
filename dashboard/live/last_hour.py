"""Keeps every camera's mask rate of the last hour, shared by all viewers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from bus.stores.history import HistoryStore
from bus.stores.packed_days import Minutes
from contract.people.compliance import MaskRate, mask_rate
from contract.people.minutes import DAY_MINUTES, minute_of, people_column
from contract.people.verdicts import VERDICTS, Verdict

HOUR_MINUTES: Final = 60
EVERY_S: Final = 15.0
MOST_AT_ONCE: Final = 8
"""Most cameras to read at once. Unpacking a day takes a millisecond, and viewers wait for it."""


class LastHour:
    """Rates of the last 60 minutes, including the current minute, each about `EVERY_S` old at most.

    Cameras take turns if there are too many to read that often.
    """

    def __init__(self, history: HistoryStore, clock: Callable[[], float] = time.time) -> None:
        self._history = history
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, MaskRate]] = {}

    def rates(self, camera_ids: Sequence[str]) -> Mapping[str, MaskRate]:
        """Return the rates of the cameras that were read so far, by id; raises `StoreError`."""
        with self._lock:
            now_s = self._clock()
            for camera_id in self._due(camera_ids, now_s):
                self._known[camera_id] = now_s, mask_rate(self._people(camera_id, now_s))
            return {one: self._known[one][1] for one in camera_ids if one in self._known}

    def _due(self, camera_ids: Sequence[str], now_s: float) -> list[str]:
        read_at = {one: self._known[one][0] if one in self._known else 0.0 for one in camera_ids}
        # If the clock was set back, all cameras are due.
        due = [one for one in camera_ids if not 0 <= now_s - read_at[one] < EVERY_S]
        return sorted(due, key=read_at.__getitem__)[:MOST_AT_ONCE]

    def _people(self, camera_id: str, now_s: float) -> dict[Verdict, int]:
        end = minute_of(now_s) + 1
        begin = end - HOUR_MINUTES
        people = dict.fromkeys(VERDICTS, 0)
        days = begin // DAY_MINUTES, (end - 1) // DAY_MINUTES
        for _, day, columns in self._history.days([camera_id], *days):
            first = day * DAY_MINUTES
            of_hour = slice(max(0, begin - first), max(0, end - first))
            for verdict in VERDICTS:
                people[verdict] += _sum(columns.get(people_column(verdict)), of_hour)
        return people


def _sum(amounts: Minutes | None, part: slice) -> int:
    return 0 if amounts is None else int(amounts[part].sum())
