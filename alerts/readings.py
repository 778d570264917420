"""Compares cameras with alert rules, from their records in Redis.

Without valid data a reading is unknown, never good or bad: minutes without pictures or marked
invalid, a camera that sends no picture, a camera without a worker.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, assert_never

import numpy as np
import numpy.typing as npt

from alerts.conditions import Reading
from bus.stores.history import HistoryStore
from bus.stores.packed_days import Minutes
from bus.stores.snapshots import SnapshotStore, StoredSnapshot
from contract.alerts.rules import AlertRule, CameraOffline, QualityInvalid, RateLow
from contract.cameras.camera import Camera
from contract.cameras.quality import PROBLEM_WORDS
from contract.cameras.status import UNREADABLE, CameraStatus
from contract.errors import MessageError
from contract.people.compliance import mask_rate
from contract.people.minutes import DAY_MINUTES, FRAMES, INVALID, MINUTE_S, people_column
from contract.people.verdicts import JUDGED_VERDICTS, Verdict
from runtime.logs import about

SETTLED_AFTER_S: Final = 20.0
"""Seconds after its end from which a minute counts. People are counted 2.5 s after they were last
seen, and a minute may be marked invalid up to 10 s late."""
LEAST_KNOWN_SHARE: Final = 0.5
"""Smallest share of a rule's minutes that must be valid."""
FRESH_MINUTES: Final = 2
"""At least one of this many newest minutes must be valid: a camera may just have gone dark."""
ROUNDING: Final = 1e-9
"""Tolerance of comparisons: 0.8 + 0.05 is slightly more than 0.85 in floating point."""
CURRENT_S: Final = 10.0
"""Oldest picture, in seconds, that shows a camera's present (or two frames, if that is longer)."""

_log = logging.getLogger(__name__)

STATE_WORDS: Final = {
    "offline": "The camera is offline.",
    "stalled": "The camera is connected, but sends no picture.",
    "connecting": "The camera does not answer yet.",
}


class Readings:
    """Reads the present of all cameras at each evaluation, and a camera's minutes once a minute."""

    def __init__(self, snapshots: SnapshotStore, history: HistoryStore) -> None:
        self._store = snapshots
        self._history = history
        self._snapshots: Mapping[str, StoredSnapshot] = {}
        self._end = 0
        self._longest = 0
        self._columns: dict[str, dict[str, Minutes]] = {}
        self._rates: dict[tuple[str, RateLow], Reading] = {}

    def look(self, cameras: Sequence[Camera], rules: Iterable[AlertRule], now_s: float) -> None:
        """Read the present of all cameras; raises `StoreError`."""
        found = self._store.read(cameras)
        self._snapshots = {one.id: snapshot for one, snapshot in zip(cameras, found, strict=True)}
        end = math.floor((now_s - SETTLED_AFTER_S) / MINUTE_S)
        longest = max((r.when.minutes for r in rules if isinstance(r.when, RateLow)), default=0)
        if (end, longest) != (self._end, self._longest):
            self._end, self._longest = end, longest
            self._columns.clear()
            self._rates.clear()

    def of(self, rule: AlertRule, camera: Camera, now_s: float) -> Reading:
        """Compare `camera` with `rule`, as of the last `look`."""
        snapshot = self._snapshots[camera.id]
        match rule.when:
            case RateLow():
                return self._rate_or_unknown(rule.when, camera, now_s)
            case CameraOffline():
                return offline(snapshot.status, now_s)
            case QualityInvalid():
                return quality(snapshot, camera, now_s)
            case _:
                assert_never(rule.when)

    def _rate_or_unknown(self, when: RateLow, camera: Camera, now_s: float) -> Reading:
        # One camera's unreadable record must not silence the rules of all cameras.
        try:
            return self._rate(when, camera, now_s)
        except MessageError as error:
            about_it = about(camera)
            _log.error("the minutes of %s cannot be read: %s", camera.name, error, extra=about_it)
            return Reading("unknown", now_s, "The camera's minutes cannot be read.")

    def _rate(self, when: RateLow, camera: Camera, now_s: float) -> Reading:
        key = camera.id, when
        if key not in self._rates:
            if camera.id not in self._columns:
                longest = self._minutes(camera.id, self._end - self._longest, self._end)
                self._columns[camera.id] = longest
            newest = {n: whole[-when.minutes :] for n, whole in self._columns[camera.id].items()}
            self._rates[key] = rate(when, newest, now_s)
        return self._rates[key]

    def _minutes(self, camera_id: str, begin: int, end: int) -> dict[str, Minutes]:
        """Return the columns of minutes `begin` to `end`, without `end`."""
        found: dict[str, Minutes] = {}
        days = begin // DAY_MINUTES, (end - 1) // DAY_MINUTES
        for _, day, columns in self._history.days([camera_id], *days):
            first = day * DAY_MINUTES
            low, high = max(begin, first), min(end, first + DAY_MINUTES)
            for name, amounts in columns.items():
                whole = found.setdefault(name, np.zeros(end - begin, np.int64))
                whole[low - begin : high - begin] = amounts[low - first : high - first]
        return found


def offline(status: CameraStatus, now_s: float) -> Reading:
    """Bad while the camera sends no picture, for any reason."""
    if status.error_kind == UNREADABLE:
        return Reading("unknown", now_s, "The camera's state cannot be read.")
    if status.state == "live":
        return Reading("good", status.since_s, "The camera is live again.")
    # The ingest process that wrote this state is gone, so its `since_s` says nothing.
    since_s = now_s if status.error_kind == "no_ingest" else status.since_s
    return Reading("bad", since_s, status.error or STATE_WORDS[status.state])


def quality(snapshot: StoredSnapshot, camera: Camera, now_s: float) -> Reading:
    """Bad while the worker reports an unreliable picture."""
    oldest_s = max(CURRENT_S, 2.0 / camera.analysis_fps)
    latest, live = snapshot.latest, snapshot.status.state == "live"
    present = latest is not None and now_s - latest.captured_at_s <= oldest_s
    if not live or not snapshot.analysed or not present or not snapshot.condition:
        return Reading("unknown", now_s, "No picture is being analysed.")
    problems = snapshot.condition.problems
    if not problems:
        return Reading("good", now_s, "The picture is good again.")
    words = ", ".join(PROBLEM_WORDS[name].lower() for name in problems)
    return Reading("bad", min(problems.values()), f"{words.capitalize()}: counts are not valid.")


def rate(when: RateLow, columns: Mapping[str, Minutes], now_s: float) -> Reading:
    """Compare the rate over some minutes with the rule's limits.

    columns: each of shape `(when.minutes,)`. A minute is valid if frames were analysed in it and
    no part of it is marked invalid.
    """
    known = _known(columns, when.minutes)
    people: dict[Verdict, int] = {
        verdict: int(columns[people_column(verdict)][known].sum())
        if people_column(verdict) in columns
        else 0
        for verdict in JUDGED_VERDICTS
    }
    found = mask_rate(people)
    if known.sum() < LEAST_KNOWN_SHARE * when.minutes or not known[-FRESH_MINUTES:].any():
        return Reading("unknown", now_s, "Too few minutes with a valid picture.")
    if found.rate is None or found.people < when.people:
        return Reading("unknown", now_s, f"Too few people: {found.people} of {when.people}.")
    words = (
        f"{found.rate:.1%} of {found.people} people in the last {when.minutes} min wore a mask"
    ).replace("%", " %")
    if found.rate < when.below:
        return Reading("bad", now_s, f"{words}; the limit is {_percent(when.below)}.")
    if found.rate >= when.below + when.margin - ROUNDING:
        return Reading("good", now_s, f"{words}.")
    return Reading("between", now_s, f"{words}.")


def _known(columns: Mapping[str, Minutes], minutes: int) -> npt.NDArray[np.bool_]:
    frames = columns.get(FRAMES)
    known = np.zeros(minutes, np.bool_) if frames is None else frames > 0
    for name, amounts in columns.items():
        if name.startswith(INVALID):
            known &= amounts == 0
    return known


def _percent(share: float) -> str:
    return f"{share * 100:.3g} %"
