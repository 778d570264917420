"""The alerts process: one thread evaluates rules, and the main thread delivers messages.

Several may run: one of them evaluates, all of them deliver.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from alerts.evaluator import Evaluator
from alerts.readings import Readings
from alerts.report_planner import ReportPlanner
from bus.bus import Bus
from bus.clock import SharedClock
from bus.errors import StoreError
from bus.jobs.process import run_jobs, warm_worker
from bus.keys import ALERTS_QUEUE
from bus.stores.alert_deliveries import DELIVER_JOB
from contract.errors import ChannelError
from runtime.settings import Settings
from runtime.vault import load_vault

STEP_S: Final = 5.0
RETRIES_EVERY_S: Final = 1.0
FAREWELL_S: Final = 2.0
"""Longest wait at shutdown for a running evaluation. If Redis hangs, the lock expires by itself."""

_log = logging.getLogger(__name__)


def run(settings: Settings) -> None:
    """Evaluate and deliver until SIGTERM, SIGINT or SIGHUP.

    Raises:
        SettingsError: no Redis is named.
        SecretKeyError: there is no key to decrypt the channels' secrets.
    """
    bus, retries = Bus.open(settings, "alerts-evaluate"), Bus.open(settings, "alerts-retry")
    load_vault(settings.where_the_secret_key_is)
    # The delivery log and our log already have a line for each failed attempt.
    logging.getLogger("rq.worker").addFilter(_not_a_refusal)
    stop = threading.Event()
    evaluation = threading.Thread(target=_evaluate, args=(bus, stop), daemon=True)
    evaluation.start()
    retry = retries.retries(ALERTS_QUEUE).run
    threading.Thread(target=retry, args=(RETRIES_EVERY_S,), daemon=True).start()
    try:
        run_jobs(settings, "alerts", warm_worker(ALERTS_QUEUE, DELIVER_JOB), stop)
    finally:
        stop.set()
        evaluation.join(FAREWELL_S)


def make_evaluator(bus: Bus, clock: Callable[[], float] = time.time) -> Evaluator:
    """Return an evaluator over the stores of `bus`."""
    return Evaluator(
        bus.alert_turn(),
        bus.roster,
        bus.alert_rules,
        bus.alerts,
        bus.alert_deliveries,
        Readings(bus.snapshots, bus.history()),
        clock,
    )


def _evaluate(bus: Bus, stop: threading.Event) -> None:
    """Evaluate every few seconds until `stop` is set; then give up the turn. Survives any error."""
    clock = bus.kept_clock(SharedClock())
    evaluator, outage = make_evaluator(bus, clock), bus.outage(stop)
    planner = ReportPlanner(bus.report_schedules, bus.alert_deliveries, clock)
    while not stop.is_set():
        try:
            clock.keep()
            if evaluator.step():
                planner.step()
            outage.over()
        except StoreError as error:
            outage.report(error)
        except Exception as error:
            # The loop's edge: one faulty rule or report must not silence all the others.
            _log.error("the alert rules could not be evaluated", exc_info=error)
        stop.wait(STEP_S)
    with suppress(StoreError):
        evaluator.leave()


def _not_a_refusal(record: logging.LogRecord) -> bool:
    name = f"{ChannelError.__module__}.{ChannelError.__qualname__}"
    return not ("raised while executing" in str(record.msg) and name in record.getMessage())
