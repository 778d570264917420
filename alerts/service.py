"""The alerts process: a thread evaluates rules, the main thread delivers what they have to say.

Any number may run: one of them evaluates, all deliver.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from typing import Final

from redis import Redis
from redis.exceptions import RedisError
from rq.scheduler import RQScheduler

from alerts.evaluator import Evaluator
from bus.clock import SharedClock
from bus.connection.client import Outage, connect
from bus.job_json import JobJson
from bus.jobs import run_jobs, warm_worker
from bus.keys import ALERTS_QUEUE
from bus.stores.alert_deliveries import DELIVER_JOB
from contract.errors import ChannelError
from runtime.settings import Settings
from runtime.vault import load_vault

STEP_S: Final = 5.0
RETRIES_EVERY_S: Final = 1.0
FAREWELL_S: Final = 2.0
"""Longest wait for an evaluation under way: Redis may hang, the lock then runs out by itself."""

_log = logging.getLogger(__name__)


def run(settings: Settings) -> None:
    """Evaluate and deliver until SIGTERM or SIGINT.

    Raises:
        SettingsError: no Redis is named.
        SecretKeyError: there is no key to open the channels' secrets with.
    """
    redis_url = settings.require_redis_url()
    load_vault(settings.where_the_secret_key_is)
    # What was not taken is in the delivery log and in ours, in one line.
    logging.getLogger("rq.worker").addFilter(_not_a_refusal)
    redis = connect(redis_url, "alerts-evaluate")
    clock = SharedClock()
    evaluator = Evaluator(redis, clock)
    stop = threading.Event()
    evaluation = threading.Thread(
        target=_evaluate, args=(redis, evaluator, clock, stop), daemon=True
    )
    evaluation.start()
    retries = connect(redis_url, "alerts-retry")
    threading.Thread(target=_retry, args=(retries,), daemon=True).start()
    try:
        run_jobs(settings, "alerts", warm_worker(ALERTS_QUEUE, DELIVER_JOB), stop)
    finally:
        stop.set()
        evaluation.join(FAREWELL_S)


def _evaluate(
    redis: Redis, evaluator: Evaluator, clock: SharedClock, stop: threading.Event
) -> None:
    """Evaluate every few seconds, whatever happens, until told to stop; then let another."""
    outage = Outage(redis, stop)
    while not stop.is_set():
        try:
            clock.keep(redis)
            evaluator.step()
            outage.over()
        except RedisError as error:
            outage.report(error)
        except Exception as error:
            # The loop's edge: one rule that cannot be evaluated must not silence all.
            _log.error("the alert rules could not be evaluated", exc_info=error)
        stop.wait(STEP_S)
    with suppress(RedisError):
        evaluator.leave()


def _retry(redis: Redis) -> None:
    """Queue what is due again. RQ's own scheduler, in a thread: it need not fork for that."""
    scheduler = RQScheduler(
        [ALERTS_QUEUE], redis, logging_level=logging.WARNING, serializer=JobJson
    )
    pause = threading.Event()
    while not pause.wait(RETRIES_EVERY_S):
        try:
            if scheduler.acquire_locks():  # type: ignore[no-untyped-call]
                scheduler.enqueue_scheduled_jobs()  # type: ignore[no-untyped-call]
        except RedisError as error:
            _log.debug("retries wait for Redis: %s", error)


def _not_a_refusal(record: logging.LogRecord) -> bool:
    name = f"{ChannelError.__module__}.{ChannelError.__qualname__}"
    return not ("raised while executing" in str(record.msg) and name in record.getMessage())
