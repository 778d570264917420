"""Rules, channels, and people counted in the past, for tests of alerts."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from redis import Redis

from bus.keys import CameraKeys
from bus.stores.alert_channels import ChannelStore
from bus.stores.alert_rules import AlertRuleStore
from contract.alerts.channels import EmailChannel, WebhookChannel, make_channel
from contract.alerts.rules import AlertRule, make_rule
from contract.people.minutes import FRAMES, invalid_column, minute_of, open_field, people_column
from tests.secret_key import key_file, vault

PASSWORD = "s3cr:t mail"  # noqa: S105 - a made-up one, looked for in what must not hold it
RUN = """
import alerts.delivery, alerts.service, bus.stores.alert_deliveries as deliveries
deliveries.RETRY_AFTER_S = alerts.delivery.RETRY_AFTER_S = {pauses!r}
deliveries.LOST_AFTER_S = {lost_after_s}
alerts.service.STEP_S = 0.2
alerts.service.RETRIES_EVERY_S = 0.2
alerts.webhook.TIMEOUT_S = {timeout_s}
from runtime.stage import run_stage
run_stage("alerts", alerts.service.run)
"""


def channels_of(redis: Redis) -> ChannelStore:
    return ChannelStore(redis, vault())


def add_webhook(redis: Redis, url: str, name: str = "Control room") -> WebhookChannel:
    made = make_channel(kind="webhook", name=name, url=url)
    assert isinstance(made, WebhookChannel)
    channels_of(redis).add(made)
    return made


def add_email(redis: Redis, port: int, name: str = "Duty", **more: Any) -> EmailChannel:
    fields = {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "sender": "maskwatch@example.org",
        "to": ("duty@example.org",),
        **more,
    }
    made = make_channel(kind="email", name=name, **fields)
    assert isinstance(made, EmailChannel)
    channels_of(redis).add(made)
    return made


def add_rule(redis: Redis, kind: str = "offline", name: str = "Rule", **fields: Any) -> AlertRule:
    """A rule of the kind that opens and closes at once, unless `when` says more."""
    when: dict[str, Any] = {
        "offline": {"for_s": 5, "clear_s": 0},
        "quality": {"for_s": 0, "clear_s": 0},
        "rate": {"below": 0.8, "margin": 0.1, "minutes": 5, "people": 10},
    }[kind]
    when |= {"kind": kind, **fields.pop("when", {})}
    return AlertRuleStore(redis).add(
        make_rule(**{"name": name, "when": when, "cool_down_minutes": 0, **fields})
    )


def count_people(
    redis: Redis,
    camera_id: str,
    minutes_ago: int,
    masked: int,
    bare: int,
    invalid_ms: int = 0,
    now_s: float | None = None,
) -> None:
    """Leave a minute as a worker would have: people by verdict, frames, time marked invalid."""
    minute = minute_of(now_s or time.time()) - minutes_ago
    amounts = {
        people_column("mask"): masked,
        people_column("no_mask"): bare,
        FRAMES: 300,
        invalid_column("frozen"): invalid_ms,
    }
    for column, amount in amounts.items():
        redis.hset(CameraKeys(camera_id).minutes, open_field(minute, column), amount)


@contextmanager
def alerts_process(
    redis_url: str,
    log: Path,
    pauses: tuple[int, ...] = (1, 1, 1),
    lost_after_s: float = 1.0,
    timeout_s: float = 2.0,
    **environment: str,
) -> Iterator[subprocess.Popen[bytes]]:
    """The real process, with short pauses; ended, however, at the end."""
    code = RUN.format(pauses=pauses, lost_after_s=lost_after_s, timeout_s=timeout_s)
    settings = {
        "MASKWATCH_REDIS_URL": redis_url,
        "MASKWATCH_SECRET_KEY_FILE": str(key_file()),
        **environment,
    }
    others = {k: v for k, v in os.environ.items() if not k.startswith("MASKWATCH_")}
    with log.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", code], env={**others, **settings}, stderr=file
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
