"""Assembles a worker from its settings, and runs it."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping

import cv2

from bus.bus import Bus
from bus.clock import SharedClock
from bus.members.members import member_name
from contract.people.minutes import HISTORY_DAYS
from contract.people.people import LEAST_CONFIDENCE
from runtime.memory import keep_freed_memory
from runtime.settings import Settings
from runtime.stopping import stop_on_signals
from runtime.tracing import OFF, Tracing, start_tracing
from worker.intake import Intake
from worker.loop import Worker, WorkerStores
from worker.networks import Networks, load_networks
from worker.ownership import OwnershipThread

_log = logging.getLogger(__name__)


def make_ownership(
    bus: Bus,
    member: str,
    lease_s: float,
    devices: Mapping[str, str],
    clock: SharedClock | None = None,
) -> OwnershipThread:
    """Return the thread that takes `member`'s share of the cameras, not yet started."""
    ownership = bus.ownership("worker", member, lease_s, clock=clock)
    return OwnershipThread(bus.roster, ownership, bus.outage, devices)


def make_worker(
    bus: Bus,
    networks: Networks,
    ownership: OwnershipThread,
    stop: threading.Event,
    *,
    staleness_budget_s: float,
    max_batch: int,
    history_days: int = HISTORY_DAYS,
    least_confidence: float = LEAST_CONFIDENCE,
    clock: Callable[[], float] = time.time,
    tracing: Tracing = OFF,
) -> Worker:
    """Return a worker that reads from and writes to the Redis of `bus`."""
    stores = WorkerStores(
        bus.outcomes(history_days, clock),
        bus.history(history_days),
        bus.inference,
        bus.watchers,
        bus.audits,
    )
    intake = Intake(bus.frame_reader(), staleness_budget_s, max_batch, clock, tracing)
    outage = bus.outage(stop)
    return Worker(
        stores, networks, intake, ownership, outage, stop, clock, tracing, least_confidence
    )


def run(settings: Settings) -> None:
    """Run a worker until SIGTERM, SIGINT or SIGHUP.

    Raises:
        SettingsError: there is no Redis to connect to, or the device asked for is missing.
        ModelError: a network cannot be used.
    """
    stop = threading.Event()
    stop_on_signals(stop)
    bus = Bus.open(settings, "maskwatch-worker")
    networks = _load_networks(settings)
    clock = SharedClock()
    tracing = start_tracing("worker", settings, clock)
    if not bus.wait_for_server(stop):
        return
    ownership = make_ownership(bus, member_name(), settings.lease_s, networks.devices(), clock)
    worker = make_worker(
        bus,
        networks,
        ownership,
        stop,
        staleness_budget_s=settings.staleness_budget_s,
        max_batch=settings.max_batch,
        history_days=settings.history_days,
        least_confidence=settings.least_confidence,
        clock=clock,
        tracing=tracing,
    )
    ownership.start()
    try:
        worker.run()
    finally:
        ownership.stop()


def _load_networks(settings: Settings) -> Networks:
    """Load the networks into a process whose memory and threads are set up for them."""
    keep_freed_memory()
    cv2.setNumThreads(settings.inference_threads or os.cpu_count() or 1)
    networks = load_networks(settings)
    for network, device in networks.devices().items():
        _log.info("%s runs on %s", network, device)
    return networks
