"""How cameras stand towards rules, from what Redis holds of them.

What cannot be known is said to be unknown, never good or bad: minutes without pictures or marked
invalid, a picture that does not come, an analysis that nobody does.
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
"""A minute counts once it is over for this long: people are counted 2.5 s after they were last
seen, and a minute may be marked invalid up to 10 s late."""
LEAST_KNOWN_SHARE: Final = 0.5
"""Of the minutes looked back on, this share at least must be known."""
FRESH_MINUTES: Final = 2
"""One of the last minutes must be known: a camera that has just gone dark is not fine."""
ROUNDING: Final = 1e-9
"""0.8 + 0.05 is a little more than 0.85 to a computer."""
CURRENT_S: Final = 10.0
"""A picture older than this (and two frames) is not the present."""

_log = logging.getLogger(__name__)

STATE_WORDS: Final = {
    "offline": "The camera is offline.",
    "stalled": "The camera is connected, but sends no picture.",
    "connecting": "The camera does not answer yet.",
}


class Readings:
    """Reads the present of all cameras at each look, and a camera's minutes once a minute."""

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
        """How `camera` stands towards `rule`, as of the last look."""
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
        # What one camera left unreadable must not silence the rules of all.
        try:
            return self._rate(when, camera, now_s)
        except MessageError as error:
            about_it = about(camera=camera.name, camera_id=camera.id)
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
        """Columns of the minutes from `begin` up to `end`, which is not among them."""
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
    """Bad while no picture comes from the camera, whatever the reason."""
    if status.error_kind == UNREADABLE:
        return Reading("unknown", now_s, "The camera's state cannot be read.")
    if status.state == "live":
        return Reading("good", status.since_s, "The camera is live again.")
    # The state is that of an ingest process which is gone: so is what it knew of since when.
    since_s = now_s if status.error_kind == "no_ingest" else status.since_s
    return Reading("bad", since_s, status.error or STATE_WORDS[status.state])


def quality(snapshot: StoredSnapshot, camera: Camera, now_s: float) -> Reading:
    """Bad while the worker says that the picture is not to be believed."""
    oldest_s = max(CURRENT_S, 2.0 / camera.analysis_fps)
    latest, live = snapshot.latest, snapshot.status.state == "live"
    present = latest is not None and now_s - latest.captured_at_s <= oldest_s
    if not live or not snapshot.analysed or not present or not snapshot.condition:
        return Reading("unknown", now_s, "No picture is analysed now.")
    problems = snapshot.condition.problems
    if not problems:
        return Reading("good", now_s, "The picture is good again.")
    words = ", ".join(PROBLEM_WORDS[name].lower() for name in problems)
    return Reading("bad", min(problems.values()), f"{words.capitalize()}: counts are not valid.")


def rate(when: RateLow, columns: Mapping[str, Minutes], now_s: float) -> Reading:
    """Compare the rate of some minutes, `(when.minutes,)` each column, with the rule's limits.

    A minute is known if frames were analysed in it and none of it is marked invalid.
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
        return Reading("unknown", now_s, f"{found.people} people judged, too few to say.")
    words = (
        f"{found.rate:.1%} of {found.people} people judged in the last {when.minutes} min wore "
        "a mask"
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
