"""The services that views use. `create_app` makes them once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast, get_args

from flask import current_app
from prometheus_client import CollectorRegistry

from bus.bus import Bus
from bus.clock import KeptClock, SharedClock
from bus.connection.loss import LossWatch
from bus.connection.server import Server
from bus.jobs.queue import JobQueue
from bus.keys import IMAGES_QUEUE, JOBS_QUEUE, RECORDINGS_QUEUE
from bus.members.members import Membership
from bus.stores.alert_channels import ChannelStore
from bus.stores.alert_deliveries import DeliveryStore
from bus.stores.alert_rules import AlertRuleStore
from bus.stores.alerts import AlertStore
from bus.stores.audits import AuditStore
from bus.stores.cameras import CameraRegistry, CameraRoster
from bus.stores.history import HistoryStore
from bus.stores.people import PeopleStore
from bus.stores.recordings import RecordingStore
from bus.stores.report_schedules import ReportScheduleStore
from bus.stores.snapshots import SnapshotStore
from bus.stores.status import StatusStore
from bus.stores.tallies import TallyStore
from dashboard.accounts.passwords import Passwords
from dashboard.accounts.service import Accounts, make_accounts
from dashboard.cameras.probes import Probes
from dashboard.live.board import Board, make_board
from dashboard.live.hub import Hub, make_hub
from dashboard.live.people_feed import PeopleFeed, make_people_feed
from dashboard.operations.metrics import Detail, TotalsCollector
from dashboard.try_it.image_uploads import ImageUploads
from dashboard.try_it.webcams import Webcams, make_webcams
from runtime.settings import Settings
from runtime.tracing import start_tracing
from runtime.vault import Vault


@dataclass(frozen=True)
class Services:
    """Everything that a request may need. All services can be shared between requests."""

    settings: Settings
    vault: Vault
    server: Server
    accounts: Accounts
    cameras: CameraRegistry
    roster: CameraRoster
    """All cameras without their passwords, for callers that ask often."""
    clock: KeptClock
    """Call `keep` before you compare a picture's time with it."""
    snapshots: SnapshotStore
    statuses: StatusStore
    history: HistoryStore
    people: PeopleStore
    board: Board
    hub: Hub
    people_feed: PeopleFeed
    probes: Probes
    uploads: ImageUploads
    webcams: Webcams
    recordings: RecordingStore
    recording_jobs: JobQueue
    rules: AlertRuleStore
    channels: ChannelStore
    alerts: AlertStore
    audits: AuditStore
    tallies: TallyStore
    deliveries: DeliveryStore
    schedules: ReportScheduleStore
    losses: LossWatch
    metrics: Mapping[Detail, CollectorRegistry]
    workers: Membership
    ingests: Membership


def make_services(
    settings: Settings,
    bus: Bus,
    vault: Vault,
    passwords: Passwords | None = None,
    losses: LossWatch | None = None,
) -> Services:
    """Return the services over one bus."""
    losses = losses or bus.losses()
    workers = bus.members("worker", settings.lease_s)
    ingests = bus.members("ingest", settings.lease_s)
    clock = bus.kept_clock(SharedClock())
    hub = make_hub(bus, start_tracing("dashboard", settings, clock))
    members = {"workers": workers, "ingests": ingests}
    metrics = {detail: CollectorRegistry() for detail in get_args(Detail)}
    for detail, registry in metrics.items():
        registry.register(TotalsCollector(bus, members, clock, losses, detail))
    return Services(
        settings=settings,
        vault=vault,
        server=bus.server,
        accounts=make_accounts(bus, passwords, settings.metrics_key_file),
        cameras=bus.cameras,
        roster=bus.roster,
        clock=clock,
        snapshots=bus.snapshots,
        statuses=bus.statuses,
        history=bus.history(),
        people=bus.people,
        board=make_board(bus, clock),
        hub=hub,
        people_feed=make_people_feed(bus),
        probes=Probes(bus.job_queue(JOBS_QUEUE), bus.pictures, vault),
        uploads=ImageUploads(bus.job_queue(IMAGES_QUEUE), bus.uploads),
        recordings=bus.recordings(settings),
        recording_jobs=bus.job_queue(RECORDINGS_QUEUE),
        webcams=make_webcams(bus, settings, hub, clock),
        rules=bus.alert_rules,
        channels=bus.alert_channels,
        alerts=bus.alerts,
        audits=bus.audits,
        tallies=bus.tallies,
        deliveries=bus.alert_deliveries,
        schedules=bus.report_schedules,
        losses=losses,
        metrics=metrics,
        workers=workers,
        ingests=ingests,
    )


def services() -> Services:
    """Return the services of the application that handles this request."""
    return cast(Services, current_app.extensions["maskwatch"])
