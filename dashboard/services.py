"""What the views work with, made once by `create_app`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from flask import current_app
from prometheus_client import CollectorRegistry
from redis import Redis

from bus.bus import Bus
from bus.clock import SharedClock
from bus.connection.loss import LossWatch
from bus.members import Membership
from bus.stores.alert_channels import ChannelStore
from bus.stores.alert_deliveries import DeliveryStore
from bus.stores.alert_rules import AlertRuleStore
from bus.stores.alerts import AlertStore
from bus.stores.cameras import CameraRegistry, CameraRoster
from bus.stores.recordings import RecordingStore
from dashboard.accounts.passwords import Passwords
from dashboard.accounts.service import Accounts, make_accounts
from dashboard.cameras.probes import Probes
from dashboard.live.board import Board
from dashboard.live.hub import Hub
from dashboard.live.people_feed import PeopleFeed
from dashboard.operations.metrics import TotalsCollector
from dashboard.try_it.analyses import Analyses
from dashboard.try_it.webcams import Webcams
from runtime.settings import Settings
from runtime.tracing import start_tracing
from runtime.vault import Vault


@dataclass(frozen=True)
class Services:
    """Everything a request may need; all of it safe to share between requests."""

    settings: Settings
    redis: Redis
    vault: Vault
    accounts: Accounts
    cameras: CameraRegistry
    roster: CameraRoster
    """All cameras without their passwords, for those who ask again and again."""
    clock: SharedClock
    """Kept by whoever compares a picture's time with it."""
    board: Board
    hub: Hub
    people_feed: PeopleFeed
    probes: Probes
    analyses: Analyses
    webcams: Webcams
    recordings: RecordingStore
    rules: AlertRuleStore
    channels: ChannelStore
    alerts: AlertStore
    deliveries: DeliveryStore
    losses: LossWatch
    metrics: CollectorRegistry
    workers: Membership
    ingests: Membership


def make_services(
    settings: Settings,
    redis: Redis,
    vault: Vault,
    passwords: Passwords | None = None,
    losses: LossWatch | None = None,
) -> Services:
    """Return the services over one Redis client."""
    losses = losses or LossWatch(redis)
    workers = Membership(redis, "worker", settings.lease_s)
    ingests = Membership(redis, "ingest", settings.lease_s)
    metrics = CollectorRegistry()
    clock = SharedClock()
    hub = Hub(redis, start_tracing("dashboard", settings, clock))
    metrics.register(
        TotalsCollector(redis, {"workers": workers, "ingests": ingests}, clock, losses)
    )
    return Services(
        settings=settings,
        redis=redis,
        vault=vault,
        accounts=make_accounts(Bus(redis), passwords, settings.metrics_key_file),
        cameras=CameraRegistry(redis, vault),
        roster=CameraRoster(redis),
        clock=clock,
        board=Board(redis, clock),
        hub=hub,
        people_feed=PeopleFeed(redis),
        probes=Probes(redis, vault),
        analyses=Analyses(redis),
        recordings=RecordingStore(
            redis, settings.where_recordings_are, round(settings.recording_kept_hours * 3600)
        ),
        webcams=Webcams(redis, hub, settings.webcams, settings.stream_max_frames, clock),
        rules=AlertRuleStore(redis),
        channels=ChannelStore(redis, vault),
        alerts=AlertStore(redis),
        deliveries=DeliveryStore(redis),
        losses=losses,
        metrics=metrics,
        workers=workers,
        ingests=ingests,
    )


def services() -> Services:
    """The services of the application that handles this request."""
    return cast(Services, current_app.extensions["maskwatch"])
