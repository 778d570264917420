"""Prometheus metrics, read from Redis when scraped.

All totals live in Redis, so restarting the dashboard or running several changes no number;
scrape one of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, cast

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue

from bus import keys
from bus.clock import SharedClock
from bus.connection.loss import LossWatch
from bus.connection.trouble import leave_replica, require_storing
from bus.keys import CameraKeys
from bus.members import Membership
from bus.stores.alert_channels import channel_names
from bus.stores.alert_deliveries import DeliveryStore
from bus.stores.alerts import AlertStore
from bus.stores.cameras import CameraRegistry
from bus.stores.outcomes import read_position
from contract.alerts.attempts import OUTCOMES
from contract.alerts.rules import ALERT_KINDS
from contract.cameras.camera import Camera
from contract.cameras.quality import PROBLEMS
from contract.people.people import DISCARD_CAUSES
from contract.people.totals import (
    AGE_BUCKETS_S,
    AGED_STAGES,
    BATCH_BUCKETS,
    DROP_CAUSES,
    FRAME_STAGES,
    INFERENCE_BUCKETS_S,
    REFUSALS,
    WORKERS_BUSY,
    Histogram,
    age_field,
    batch_field,
    decode_totals,
    discarded_field,
    dropped_field,
    frames_field,
    inference_field,
    people_field,
    read_crossed_field,
    read_fault_field,
    read_histogram,
    refused_field,
)
from contract.people.verdicts import VERDICTS
from dashboard.live.board import CameraSnapshot, read_snapshots
from dashboard.operations import metric_definitions

Totals = Mapping[str, float]
NETWORK_FIELD_END: Final = inference_field("") + ":"
_ROLES: Final = {"workers": metric_definitions.WORKERS, "ingests": metric_definitions.INGESTS}
_QUEUES: Final = {
    "jobs": keys.JOBS_QUEUE,
    "images": keys.IMAGES_QUEUE,
    "recordings": keys.RECORDINGS_QUEUE,
    "alerts": keys.ALERTS_QUEUE,
}


class TotalsCollector(Collector):
    """Everything in Redis as metric families; while Redis is away, only that it is."""

    def __init__(
        self,
        redis: Redis,
        members: Mapping[str, Membership],
        clock: SharedClock | None = None,
        losses: LossWatch | None = None,
    ) -> None:
        self._losses = losses or LossWatch(redis)
        self._redis = redis
        self._clock = clock or SharedClock()
        self._members = members

    def collect(self) -> Iterable[Metric]:
        """Read all of it first, so that a scrape is whole or says that Redis is away."""
        try:
            families = [
                *self._cameras(),
                *self._networks(),
                *self._processes(),
                *self._alerts(),
            ]
        except RedisError:
            families = []
        up = metric_definitions.REDIS_UP.gauge()
        up.add_metric([], bool(families))
        if not families:
            return [up]
        stores = metric_definitions.REDIS_STORES.gauge()
        stores.add_metric([], self._stores())
        return [up, stores, *self._lost(), *families]

    def _lost(self) -> list[Metric]:
        lost = metric_definitions.REDIS_LOST.gauge()
        try:
            lost.add_metric([], self._losses.look() is not None)
        except RedisError:
            return []
        return [lost]

    def _stores(self) -> bool:
        try:
            require_storing(self._redis)
        except RedisError as error:
            leave_replica(error, self._redis)
            return False
        return True

    def _cameras(self) -> list[Metric]:
        cameras = [one for one in CameraRegistry(self._redis).all() if not one.owner]
        snapshots = read_snapshots(self._redis, cameras, self._clock)
        labels = camera_labels(cameras)
        with self._redis.pipeline(transaction=False) as pipeline:
            for names in (CameraKeys(camera.id) for camera in cameras):
                pipeline.hgetall(names.totals)
                pipeline.get(names.position)
                pipeline.xlen(names.frames)
            answers = pipeline.execute() if cameras else []
        totals = [decode_totals(raw) for raw in answers[::3]]
        waiting = metric_definitions.FRAMES_WAITING.gauge()
        for camera, counted, *queue in zip(
            cameras, totals, answers[1::3], answers[2::3], strict=True
        ):
            if camera.enabled:
                waiting.add_metric([labels[camera.id]], _waiting(counted, *queue))
        return [
            *_states(snapshots, labels),
            waiting,
            *_counters({labels[s.camera.id]: t for s, t in zip(snapshots, totals, strict=True)}),
        ]

    def _networks(self) -> list[Metric]:
        totals = decode_totals(cast(dict[bytes, bytes], self._redis.hgetall(keys.INFERENCE)))
        seconds = metric_definitions.INFERENCE.histogram()
        batches = metric_definitions.BATCH_SIZE.histogram()
        busy = metric_definitions.WORKERS_BUSY.counter()
        busy.add_metric([], totals.get(WORKERS_BUSY, 0.0))
        for network in sorted({f.split(NETWORK_FIELD_END)[0] for f in totals if _timed(f)}):
            _add(seconds, [network], totals, inference_field(network), INFERENCE_BUCKETS_S)
            _add(batches, [network], totals, batch_field(network), BATCH_BUCKETS)
        return [seconds, batches, busy]

    def _alerts(self) -> list[Metric]:
        is_open = metric_definitions.ALERTS_OPEN.gauge()
        kinds = Counter(alert.kind for alert in AlertStore(self._redis).open())
        for kind in ALERT_KINDS:
            is_open.add_metric([kind], kinds[kind])
        deliveries = metric_definitions.ALERT_DELIVERIES.counter()
        totals = DeliveryStore(self._redis).totals()
        for channel_id, name in channel_names(self._redis).items():
            for outcome in OUTCOMES:
                deliveries.add_metric([name, outcome], totals.get((channel_id, outcome), 0))
        evaluated = metric_definitions.ALERTS_EVALUATED.gauge()
        if (at_s := AlertStore(self._redis).evaluated_at_s()) is not None:
            evaluated.add_metric([], at_s)
        return [is_open, deliveries, evaluated]

    def _processes(self) -> list[Metric]:
        families = []
        for role, defined in _ROLES.items():
            family = defined.gauge()
            family.add_metric([], len(self._members[role].live()))
            families.append(family)
        waiting = metric_definitions.JOBS_WAITING.gauge()
        for label, name in _QUEUES.items():
            waiting.add_metric([label], Queue(name, connection=self._redis).count)
        return [*families, waiting]


def _waiting(counted: Totals, position: object, in_stream: int) -> float:
    """Frames in a camera's stream past which no worker has gone.

    Those pushed out of the stream unread are not among them: they are lost, and counted as that
    with the next commit.
    """
    done, _ = read_position(position)
    return max(0.0, min(in_stream, counted.get(frames_field("published"), 0.0) - done))


def _timed(field: str) -> bool:
    return NETWORK_FIELD_END in field


def camera_labels(cameras: Iterable[Camera]) -> dict[str, str]:
    """What each camera is called in the metrics, by its id: no two of them the same.

    That is its name; where an older camera of another group has that, its name and its group.
    """
    labels: dict[str, str] = {}
    for camera in sorted(cameras, key=lambda one: (one.created_at_s, one.id)):
        names = (camera.name, f"{camera.name} ({camera.group or 'no group'})", camera.id)
        labels[camera.id] = next(name for name in names if name not in labels.values())
    return labels


def _states(snapshots: Sequence[CameraSnapshot], labels: Mapping[str, str]) -> list[Metric]:
    up = metric_definitions.CAMERA_UP.gauge()
    faces = metric_definitions.FACES.gauge()
    quality = metric_definitions.CAMERA_QUALITY.gauge()
    fault = metric_definitions.CAMERA_FAULT.gauge()
    fit = metric_definitions.CAMERA_FIT.gauge()
    for snapshot in snapshots:
        name = labels[snapshot.camera.id]
        if snapshot.camera.enabled:  # one switched off on purpose is nobody's alarm
            up.add_metric([name], snapshot.status.state == "live")
            if snapshot.status.fault:
                fault.add_metric([name, snapshot.status.fault], 1)
            for problem in PROBLEMS:
                quality.add_metric([name, problem], problem in snapshot.quality.problems)
        for verdict, count in snapshot.faces_in_view().items():
            faces.add_metric([name, verdict], count)
        if snapshot.condition.fitness.verdict != "learning":
            fit.add_metric([name], snapshot.condition.fitness.verdict == "fit")
    return [up, fault, faces, quality, fit]


def _counters(by_camera: Mapping[str, Totals]) -> list[Metric]:
    frames = metric_definitions.FRAMES.counter()
    dropped = metric_definitions.FRAMES_DROPPED.counter()
    faults = metric_definitions.CAMERA_FAULTS.counter()
    people = metric_definitions.PEOPLE.counter()
    discarded = metric_definitions.TRACKS_DISCARDED.counter()
    crossings = metric_definitions.LINE_CROSSINGS.counter()
    refused = metric_definitions.COMMITS_REFUSED.counter()
    ages = metric_definitions.FRAME_AGE.histogram()
    for camera, totals in by_camera.items():
        for stage in FRAME_STAGES:
            frames.add_metric([camera, stage], totals.get(frames_field(stage), 0.0))
        for cause in DROP_CAUSES:
            dropped.add_metric([camera, cause], totals.get(dropped_field(cause), 0.0))
        for verdict in VERDICTS:
            people.add_metric([camera, verdict], totals.get(people_field(verdict), 0.0))
        for discard in DISCARD_CAUSES:
            discarded.add_metric([camera, discard], totals.get(discarded_field(discard), 0.0))
        for field, count in totals.items():
            if crossed := read_crossed_field(field):
                crossings.add_metric([camera, *crossed], count)
            elif kind := read_fault_field(field):
                faults.add_metric([camera, kind], count)
        for reason in REFUSALS:
            refused.add_metric([camera, reason], totals.get(refused_field(reason), 0.0))
        for stage in AGED_STAGES:
            _add(ages, [camera, stage], totals, age_field(stage), AGE_BUCKETS_S)
    return [frames, dropped, faults, people, discarded, crossings, refused, ages]


def _add(
    family: HistogramMetricFamily,
    labels: Sequence[str],
    totals: Totals,
    field: str,
    bounds: Sequence[float],
) -> None:
    histogram: Histogram = read_histogram(totals, field, bounds)
    buckets = [
        (str(float(bound)).replace("inf", "+Inf"), count) for bound, count in histogram.buckets
    ]
    family.add_metric(labels, buckets, histogram.sum)
