"""A process's connection to Redis, and its stores."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from redis import Redis

from bus.clock import KeptClock, SharedClock
from bus.connection.client import Outage, connect, wait_for_server
from bus.connection.loss import LossWatch, accept_loss
from bus.connection.server import Server
from bus.connection.storage_watch import StorageWatch
from bus.jobs.queue import JobQueue
from bus.jobs.retries import Retries
from bus.members.leases import Lease, Ownership, Role
from bus.members.members import Membership
from bus.stores.accounts.audit import AuditLog
from bus.stores.alert_channels import ChannelStore
from bus.stores.alert_deliveries import DeliveryStore
from bus.stores.alert_rules import AlertRuleStore
from bus.stores.alert_turn import AlertTurn
from bus.stores.alerts import AlertStore
from bus.stores.audits import AuditStore
from bus.stores.backup import BackupStore
from bus.stores.cameras import CameraRegistry, CameraRoster
from bus.stores.frames import FramePublisher, FrameReader
from bus.stores.history import HistoryStore
from bus.stores.inference import InferenceStore
from bus.stores.outcomes import OutcomeStore
from bus.stores.people import PeopleStore
from bus.stores.pictures import PictureStore
from bus.stores.recordings import RecordingStore
from bus.stores.report_schedules import ReportScheduleStore
from bus.stores.snapshots import SnapshotStore
from bus.stores.status import StatusStore
from bus.stores.tallies import TallyStore
from bus.stores.totals import TotalsStore
from bus.stores.uploads import UploadStore
from bus.stores.views import ViewStore
from bus.stores.watchers import WatcherStore
from bus.stores.webcams import WebcamStore
from contract.people.minutes import HISTORY_DAYS
from runtime.settings import Settings
from runtime.vault import Vault

if TYPE_CHECKING:
    from bus.stores.accounts.stores import AccountStores


class Bus:
    """Every store over one client of Redis.

    A process opens one bus at its start and passes each part the stores that it needs, never the
    bus itself or a client. A property returns the same store each time, which threads may share
    unless the store says otherwise. A method returns a new store.
    """

    def __init__(self, redis: Redis, vault: Vault | None = None) -> None:
        """`vault`: decrypts secrets. Without it, secrets stay hidden."""
        self._redis = redis
        self._vault = vault

    @classmethod
    def open(cls, settings: Settings, name: str, vault: Vault | None = None) -> Bus:
        """Return a bus over the Redis of the settings; nothing is sent before the first command.

        `name` is what Redis lists the connection as.

        Raises:
            SettingsError: no Redis is configured.
        """
        return cls.at(settings.require_redis_url(), name, vault)

    @classmethod
    def at(cls, url: str, name: str, vault: Vault | None = None) -> Bus:
        """Return a bus over the Redis at `url`, as `open` does."""
        return cls(connect(url, name), vault)

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()

    def accept_loss(self) -> None:
        """Accept the data that Redis has as complete, for all processes."""
        accept_loss(self._redis)

    @cached_property
    def accounts(self) -> AccountStores:
        # Imported here, because only the dashboard's image has `limits`.
        from bus.stores.accounts.stores import AccountStores

        return AccountStores.over(self._redis)

    @cached_property
    def alert_channels(self) -> ChannelStore:
        """Needs a vault."""
        if self._vault is None:
            raise ValueError("channels have secrets: open the bus with a vault")
        return ChannelStore(self._redis, self._vault)

    @cached_property
    def alert_deliveries(self) -> DeliveryStore:
        return DeliveryStore(self._redis)

    @cached_property
    def alert_rules(self) -> AlertRuleStore:
        return AlertRuleStore(self._redis)

    def alert_turn(self) -> AlertTurn:
        """The right to evaluate the alert rules; belongs to one thread."""
        return AlertTurn(self._redis)

    @cached_property
    def alerts(self) -> AlertStore:
        return AlertStore(self._redis)

    @cached_property
    def audit(self) -> AuditLog:
        return AuditLog(self._redis)

    @cached_property
    def audits(self) -> AuditStore:
        return AuditStore(self._redis)

    @cached_property
    def backups(self) -> BackupStore:
        return BackupStore(self._redis)

    @cached_property
    def cameras(self) -> CameraRegistry:
        return CameraRegistry(self._redis, self._vault)

    def frame_reader(self) -> FrameReader:
        """Reads cameras' frames; belongs to one thread."""
        return FrameReader(self._redis)

    def history(self, days: int = HISTORY_DAYS) -> HistoryStore:
        """`days`: how long a packed minute is kept."""
        return HistoryStore(self._redis, days)

    @cached_property
    def inference(self) -> InferenceStore:
        return InferenceStore(self._redis)

    def job_queue(self, name: str) -> JobQueue:
        """Queues jobs under `name` (`bus.keys`)."""
        return JobQueue(self._redis, name)

    def kept_clock(self, clock: SharedClock) -> KeptClock:
        """`clock` together with the server that it follows."""
        return KeptClock(clock, self._redis)

    def losses(self, seen_file: Path | None = None) -> LossWatch:
        """Reports lost data; `seen_file` keeps the last known state for the next process."""
        return LossWatch(self._redis, seen_file)

    def members(self, role: str, lease_s: float) -> Membership:
        """The living processes of a role."""
        return Membership(self._redis, role, lease_s)

    def outage(self, stop: threading.Event) -> Outage:
        """Handles outages of Redis; `stop` ends its pauses."""
        return Outage(self._redis, stop)

    def outcomes(self, history_days: int, clock: Callable[[], float] = time.time) -> OutcomeStore:
        """Commits outcomes of workers; belongs to one worker's loop."""
        return OutcomeStore(self._redis, history_days, clock)

    def ownership(
        self,
        role: Role,
        member: str,
        lease_s: float,
        settle_s: float = 0.0,
        clock: SharedClock | None = None,
    ) -> Ownership:
        """The share of the cameras that `member` has of a role."""
        return Ownership(self._redis, role, member, lease_s, settle_s, clock)

    @cached_property
    def people(self) -> PeopleStore:
        return PeopleStore(self._redis)

    @cached_property
    def pictures(self) -> PictureStore:
        return PictureStore(self._redis)

    def publisher(self, lease: Lease, stream_max_frames: int) -> FramePublisher:
        """Writes one camera's frames; belongs to one thread."""
        return FramePublisher(self._redis, lease, stream_max_frames)

    def recordings(self, settings: Settings) -> RecordingStore:
        """The recordings, in the folder and for the time of the settings."""
        kept_s = round(settings.recording_kept_hours * 3600)
        return RecordingStore(self._redis, settings.where_recordings_are, kept_s)

    @cached_property
    def report_schedules(self) -> ReportScheduleStore:
        return ReportScheduleStore(self._redis)

    def retries(self, queue: str) -> Retries:
        """Queues failed jobs again; belongs to one thread."""
        return Retries(self._redis, queue)

    @cached_property
    def roster(self) -> CameraRoster:
        """The cameras with hidden passwords, for frequent reads."""
        return CameraRoster(self._redis)

    @cached_property
    def server(self) -> Server:
        return Server(self._redis)

    @cached_property
    def snapshots(self) -> SnapshotStore:
        return SnapshotStore(self._redis)

    @cached_property
    def statuses(self) -> StatusStore:
        return StatusStore(self._redis)

    @cached_property
    def tallies(self) -> TallyStore:
        return TallyStore(self._redis)

    def storage_watch(self) -> StorageWatch:
        """Reports when Redis stops storing data; belongs to one thread."""
        return StorageWatch(self._redis)

    @cached_property
    def totals(self) -> TotalsStore:
        return TotalsStore(self._redis)

    @cached_property
    def uploads(self) -> UploadStore:
        return UploadStore(self._redis)

    @cached_property
    def views(self) -> ViewStore:
        return ViewStore(self._redis)

    def wait_for_server(self, stop: threading.Event) -> bool:
        """Wait for Redis. Return True once it is usable, False if `stop` is set before."""
        return wait_for_server(self._redis, stop)

    @cached_property
    def watchers(self) -> WatcherStore:
        return WatcherStore(self._redis)

    @cached_property
    def webcams(self) -> WebcamStore:
        return WebcamStore(self._redis)
