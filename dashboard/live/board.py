"""Reads the state of every camera once for all viewers, in the form that people read."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bus.bus import Bus
from bus.clock import KeptClock, SharedClock
from bus.connection.server import Server
from bus.errors import StoreError
from bus.stores.alerts import AlertStore
from bus.stores.cameras import CameraRoster
from bus.stores.history import HistoryStore
from bus.stores.snapshots import SnapshotStore
from contract.alerts.alerts import Alert
from contract.cameras.camera import Camera
from contract.cameras.quality import QualityReport
from contract.cameras.status import CameraStatus
from contract.people.compliance import MaskRate, mask_rate
from contract.people.faces import FrameFaces
from contract.people.verdicts import VERDICTS, Verdict
from dashboard.live.answers import CameraAnswer, CameraSettings, ConnectionStatus, OpenAlert
from dashboard.live.last_hour import LastHour
from dashboard.live.quality import quality_answer
from dashboard.web.answers import Rate

STALE_AFTER_S: Final = 2.0
IN_VIEW_S: Final = 5.0
"""Seconds after which faces no longer count as in view."""


@dataclass(frozen=True)
class CameraSnapshot:
    """One camera at one moment."""

    camera: Camera
    status: CameraStatus
    analysed: bool
    """Whether a worker owns the camera."""
    latest: FrameFaces | None
    people: dict[Verdict, int]
    read_at_s: float
    condition: QualityReport
    """Faces in the newest analysed frame, whatever its age."""
    last_hour: MaskRate | None = None
    """Rate of the last hour; None before the first reading."""
    alerts: Sequence[Alert] = ()
    """Open alerts of this camera, newest first."""

    @property
    def quality(self) -> QualityReport:
        """Return the current problems of the picture; none if no pictures arrive."""
        if self.reason():
            return QualityReport(fitness=self.condition.fitness)
        return self.condition

    @property
    def picture_age_s(self) -> float | None:
        """Seconds since the capture of the newest analysed frame; None before the first frame."""
        if self.latest is None:
            return None
        return max(0.0, self.read_at_s - self.latest.captured_at_s)

    @property
    def stale_after_s(self) -> float:
        """Age from which a picture must not look live: two missed frames, at least 2 s."""
        return max(STALE_AFTER_S, 2.0 / self.camera.analysis_fps)

    def faces_in_view(self) -> dict[Verdict, int]:
        """Return the faces in the newest frame by verdict; none if the frame is too old."""
        age_s = self.picture_age_s
        current = age_s is not None and age_s <= max(IN_VIEW_S, self.stale_after_s)
        if self.latest is None or not current or self.status.state != "live":
            return dict.fromkeys(VERDICTS, 0)
        return self.latest.counts()

    def reason(self) -> str:
        """Why there is no fresh picture, in plain words; empty when nothing is known to be amiss.

        The connection comes before the analysis: without frames no worker can do anything.
        """
        if self.status.state == "disabled":
            return "Switched off."
        if self.status.state != "live":
            return self.status.error or f"The camera is {self.status.state}."
        if not self.analysed:
            return "No worker analyses this camera; start one with `maskwatch worker`."
        if self.picture_age_s is None or self.picture_age_s > self.stale_after_s:
            return "The camera is connected, but no analysed pictures arrive."
        return ""

    def answer(self, may_change: bool = False) -> CameraAnswer:
        """Return the camera for the API, without the secrets of its address."""
        age_s = self.picture_age_s
        status = replace(self.status, fps=round(self.status.fps, 2))
        settings = {name: getattr(self.camera, name) for name in CameraSettings.model_fields}
        return CameraAnswer(
            **settings | {"source": self.camera.shown_source(may_change)},
            version=self.camera.version,
            status=ConnectionStatus.model_validate(status),
            reason=self.reason(),
            faces=self.faces_in_view(),
            people=self.people,
            compliance=Rate.of(mask_rate(self.people)),
            last_hour=Rate.of(self.last_hour) if self.last_hour else None,
            picture_age_s=None if age_s is None else round(age_s, 3),
            picture_at_s=self.latest.captured_at_s if self.latest else None,
            stale_after_s=self.stale_after_s,
            quality=quality_answer(self.quality),
            fitness=self.condition.fitness.status,
            alerts=[OpenAlert.model_validate(alert) for alert in self.alerts],
        )


def read_snapshots(
    store: SnapshotStore,
    cameras: Sequence[Camera],
    clock: KeptClock,
    last_hour: Mapping[str, MaskRate] | None = None,
    alerts: Mapping[str, list[Alert]] | None = None,
) -> list[CameraSnapshot]:
    """Return the snapshots of `cameras`, in their order; keeps the clock."""
    clock.keep()
    found = store.read(cameras)
    now_s = clock()
    return [
        CameraSnapshot(
            camera=camera,
            status=stored.status,
            analysed=stored.analysed,
            latest=stored.latest,
            people=stored.people,
            read_at_s=now_s,
            condition=stored.condition or QualityReport(),
            last_hour=(last_hour or {}).get(camera.id),
            alerts=(alerts or {}).get(camera.id, ()),
        )
        for camera, stored in zip(cameras, found, strict=True)
    ]


class Board:
    """Snapshots of all cameras, read again only if the last reading is older than `max_age_s`.

    Twenty open walls need the same states every second, but Redis is read once.
    """

    def __init__(
        self,
        roster: CameraRoster,
        snapshots: SnapshotStore,
        history: HistoryStore,
        alerts: AlertStore,
        server: Server,
        clock: KeptClock,
        max_age_s: float = 0.5,
    ) -> None:
        self._roster = roster
        self._store = snapshots
        self._alerts = alerts
        self._server = server
        self._clock = clock
        self._last_hour = LastHour(history, clock)
        self._max_age_s = max_age_s
        self._lock = threading.Lock()
        self._read_at: float | None = None
        self._failure: StoreError | None = None
        self._snapshots: list[CameraSnapshot] = []
        self._json: dict[frozenset[str] | None, str] = {}

    def snapshots(self) -> list[CameraSnapshot]:
        """All cameras by name, at most `max_age_s` old; raises `StoreError` when it is away."""
        with self._lock:
            self._refresh()
            return self._snapshots

    def read_now(self, cameras: Sequence[Camera]) -> list[CameraSnapshot]:
        """Those cameras' snapshots as of now, but for the last hour, which may be older.

        Raises `StoreError` also where Redis answers and stores nothing: what it has of the cameras
        is from before then, and says that nobody reads or analyses them.
        """
        self._server.require_storing()
        rates = self._last_hour.rates([camera.id for camera in cameras])
        alerts = self._open_alerts()
        return read_snapshots(self._store, cameras, self._clock, rates, alerts)

    def _open_alerts(self) -> dict[str, list[Alert]]:
        found: dict[str, list[Alert]] = {}
        for alert in self._alerts.open():
            found.setdefault(alert.camera_id, []).append(alert)
        return found

    def find(self, camera_id: str) -> CameraSnapshot | None:
        """Return a camera's snapshot; None if the camera is not registered."""
        return next((s for s in self.snapshots() if s.camera.id == camera_id), None)

    def json(self, groups: frozenset[str] | None = None) -> str:
        """Return the cameras of `groups` (None: all) as JSON, encoded once for all viewers."""
        with self._lock:
            self._refresh()
            if groups not in self._json:
                shown = [
                    s
                    for s in self._snapshots
                    if (groups is None or s.camera.group in groups) and not s.camera.owner
                ]
                listed = ",".join(one.answer().model_dump_json(by_alias=True) for one in shown)
                self._json[groups] = f"[{listed}]"
            return self._json[groups]

    def forget(self) -> None:
        """Make the next call read again.

        A stream calls this first, so that a camera that was just added is in its first answer.
        """
        with self._lock:
            self._read_at = None

    def _refresh(self) -> None:
        now = time.monotonic()
        if self._read_at is None or now - self._read_at >= self._max_age_s:
            self._failure = self._read()
            self._read_at = time.monotonic()
        # Viewers share a failure too. While Redis hangs, they must not time out one by one.
        if self._failure:
            raise self._failure.with_traceback(None)

    def _read(self) -> StoreError | None:
        try:
            self._snapshots = self.read_now(self._roster.cameras())
        except StoreError as error:
            self._server.leave_replica(error)
            return error
        self._json.clear()
        return None


def make_board(bus: Bus, clock: KeptClock | None = None) -> Board:
    """Return a board over one bus. Connects to nothing."""
    return Board(
        roster=bus.roster,
        snapshots=bus.snapshots,
        history=bus.history(),
        alerts=bus.alerts,
        server=bus.server,
        clock=clock or bus.kept_clock(SharedClock()),
    )
