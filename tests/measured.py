"""A Redis in which there is something to measure of everything."""

from __future__ import annotations

from typing import Any

from prometheus_client.metrics_core import Metric
from redis import Redis

from bus import keys
from bus.bus import Bus
from bus.keys import CameraKeys
from bus.members.members import Membership
from bus.stores.alerts import AlertStore
from bus.stores.status import StatusStore
from contract.cameras.quality import Fitness, QualityReport
from contract.cameras.status import FAULT_KINDS, NO_INGEST, NOTICES, CameraStatus
from contract.people.totals import (
    BATCH_BUCKETS,
    INFERENCE_BUCKETS_S,
    Increments,
    batch_field,
    crossed_field,
    fault_field,
    inference_field,
)
from dashboard.operations.metrics import TotalsCollector
from tests.alerts import add_webhook
from tests.builders import add_camera, take_lease
from tests.secret_key import vault

FIT = Fitness("fit", (), 25, 0.4, (30.0, 40.0, 50.0), 0.9, 0.0, 0.0)


def collect_everything(redis: Redis) -> list[Metric]:
    """The metrics of one camera, its networks, alerts and processes."""
    camera = CameraKeys(add_camera(redis, "Gate").id)
    redis.hset(camera.totals, crossed_field("Door", "in", "mask"), 2)
    redis.hset(camera.condition, "report", QualityReport({}, FIT).encode())
    inference = Increments()
    inference.observe(inference_field("yunet"), INFERENCE_BUCKETS_S, 0.003)
    inference.observe(batch_field("yunet"), BATCH_BUCKETS, 4)
    for field, amount in inference.items():
        redis.hincrbyfloat(keys.INFERENCE, field, amount)
    AlertStore(redis).evaluated(0.0)
    add_webhook(redis, "http://hook.lan/")
    for kind in FAULT_KINDS:
        redis.hset(camera.totals, fault_field(kind), 1)
        if kind != NO_INGEST:  # that is said of the camera above
            _have_fault(redis, kind)
    members = {f"{role}s": Membership(redis, role, 30) for role in ("worker", "ingest")}
    return list(TotalsCollector(Bus(redis, vault()), members).collect())


def _have_fault(redis: Redis, kind: str) -> None:
    camera_id = add_camera(redis, kind).id
    now_s = redis.time()[0]
    facts: dict[str, Any] = {"notice_kind": kind} if kind in NOTICES else {"error_kind": kind}
    status = CameraStatus("live" if kind in NOTICES else "offline", now_s, **facts)
    StatusStore(redis).write(take_lease(redis, camera_id, "ingest"), status)
