"""Prometheus metrics, read from Redis when scraped.

All totals are in Redis, so restarting the dashboard or running several changes no number. Scrape
one dashboard only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, TypeVar

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bus import keys
from bus.bus import Bus
from bus.clock import KeptClock, SharedClock
from bus.connection.loss import LossWatch
from bus.errors import StoreError
from bus.members.members import Membership
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
from contract.people.verdicts import VERDICTS, Verdict
from dashboard.live.board import CameraSnapshot, read_snapshots
from dashboard.operations import metric_definitions

Totals = Mapping[str, float]
Detail = Literal["full", "summary"]
"""`summary` adds up over all cameras what describes the system more than a camera."""
SUMMED: Final = ""
"""The value of the label `camera` of what is added up."""
NETWORK_FIELD_END: Final = inference_field("") + ":"
_ROLES: Final = {"workers": metric_definitions.WORKERS, "ingests": metric_definitions.INGESTS}
_QUEUES: Final = {
    "jobs": keys.JOBS_QUEUE,
    "images": keys.IMAGES_QUEUE,
    "recordings": keys.RECORDINGS_QUEUE,
    "alerts": keys.ALERTS_QUEUE,
}


class TotalsCollector(Collector):
    """Yields all of Redis as metric families; while Redis is away, only `maskwatch_redis_up`."""

    def __init__(
        self,
        bus: Bus,
        members: Mapping[str, Membership],
        clock: KeptClock | None = None,
        losses: LossWatch | None = None,
        detail: Detail = "full",
    ) -> None:
        """Takes the whole `bus`, because metrics cover every subject."""
        self._detail = detail
        self._losses = losses or bus.losses()
        self._bus = bus
        self._clock = clock or bus.kept_clock(SharedClock())
        self._members = members
        self._queues = {label: bus.job_queue(name) for label, name in _QUEUES.items()}

    def collect(self) -> Iterable[Metric]:
        """Read everything first, so that a scrape is complete or says that Redis is away."""
        try:
            families = [
                *self._cameras(),
                *self._networks(),
                *self._processes(),
                *self._alerts(),
            ]
        except StoreError:
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
        except StoreError:
            return []
        return [lost]

    def _stores(self) -> bool:
        try:
            self._bus.server.require_storing()
        except StoreError as error:
            self._bus.server.leave_replica(error)
            return False
        return True

    def _cameras(self) -> list[Metric]:
        cameras = [one for one in self._bus.roster.cameras() if not one.owner]
        snapshots = read_snapshots(self._bus.snapshots, cameras, self._clock)
        labels = camera_labels(cameras)
        totals = self._bus.totals.read([camera.id for camera in cameras])
        waiting = metric_definitions.FRAMES_WAITING.gauge()
        for camera, counted in zip(cameras, totals, strict=True):
            if camera.enabled:
                waiting.add_metric([labels[camera.id]], counted.waiting)
        by_camera = {
            labels[camera.id]: counted.amounts
            for camera, counted in zip(cameras, totals, strict=True)
        }
        if self._detail == "full":
            return [
                *_states(snapshots, labels),
                *_quality(snapshots, labels),
                *_faces({labels[one.camera.id]: one.faces_in_view() for one in snapshots}),
                waiting,
                *_counters(by_camera),
                *_processing(by_camera),
            ]
        in_view = [one.faces_in_view() for one in snapshots]
        return [
            *_states(snapshots, labels),
            *_quality(snapshots, labels, only_present=True),
            *_faces({SUMMED: _sum(in_view)}),
            waiting,
            *_counters(by_camera),
            *_processing({SUMMED: _sum(by_camera.values())}),
        ]

    def _networks(self) -> list[Metric]:
        totals = self._bus.inference.read()
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
        kinds = Counter(alert.kind for alert in self._bus.alerts.open())
        for kind in ALERT_KINDS:
            is_open.add_metric([kind], kinds[kind])
        deliveries = metric_definitions.ALERT_DELIVERIES.counter()
        totals = self._bus.alert_deliveries.totals()
        for channel_id, name in self._bus.alert_channels.names().items():
            for outcome in OUTCOMES:
                deliveries.add_metric([name, outcome], totals.get((channel_id, outcome), 0))
        evaluated = metric_definitions.ALERTS_EVALUATED.gauge()
        if (at_s := self._bus.alerts.evaluated_at_s()) is not None:
            evaluated.add_metric([], at_s)
        return [is_open, deliveries, evaluated]

    def _processes(self) -> list[Metric]:
        families = []
        for role, defined in _ROLES.items():
            family = defined.gauge()
            family.add_metric([], len(self._members[role].live()))
            families.append(family)
        waiting = metric_definitions.JOBS_WAITING.gauge()
        for label, queue in self._queues.items():
            waiting.add_metric([label], queue.waiting())
        return [*families, waiting]


def _timed(field: str) -> bool:
    return NETWORK_FIELD_END in field


def camera_labels(cameras: Iterable[Camera]) -> dict[str, str]:
    """Return each camera's unique name in the metrics, by the camera's id.

    If an older camera of another group has the same name, the group is added.
    """
    owners: dict[str, str] = {}
    for camera in sorted(cameras, key=lambda one: (one.created_at_s, one.id)):
        names = (camera.name, f"{camera.name} ({camera.group or 'no group'})", camera.id)
        owners[next(name for name in names if name not in owners)] = camera.id
    return {camera_id: name for name, camera_id in owners.items()}


def _states(snapshots: Sequence[CameraSnapshot], labels: Mapping[str, str]) -> list[Metric]:
    up = metric_definitions.CAMERA_UP.gauge()
    fault = metric_definitions.CAMERA_FAULT.gauge()
    fit = metric_definitions.CAMERA_FIT.gauge()
    for snapshot in snapshots:
        name = labels[snapshot.camera.id]
        if snapshot.camera.enabled:  # A disabled camera is not an alarm.
            up.add_metric([name], snapshot.status.state == "live")
            if snapshot.status.fault:
                fault.add_metric([name, snapshot.status.fault], 1)
        if snapshot.condition.fitness.status != "learning":
            fit.add_metric([name], snapshot.condition.fitness.status == "fit")
    return [up, fault, fit]


def _quality(
    snapshots: Sequence[CameraSnapshot], labels: Mapping[str, str], only_present: bool = False
) -> list[Metric]:
    quality = metric_definitions.CAMERA_QUALITY.gauge()
    for snapshot in snapshots:
        for problem in PROBLEMS if snapshot.camera.enabled else ():
            present = problem in snapshot.quality.problems
            if present or not only_present:
                quality.add_metric([labels[snapshot.camera.id], problem], present)
    return [quality]


def _faces(in_view: Mapping[str, Mapping[Verdict, float]]) -> list[Metric]:
    faces = metric_definitions.FACES.gauge()
    for camera, by_verdict in in_view.items():
        for verdict, count in by_verdict.items():
            faces.add_metric([camera, verdict], count)
    return [faces]


K = TypeVar("K", bound=str)


def _sum(amounts: Iterable[Mapping[K, float]]) -> dict[K, float]:
    total: dict[K, float] = {}
    for one in amounts:
        for name, amount in one.items():
            total[name] = total.get(name, 0) + amount
    return total


def _counters(by_camera: Mapping[str, Totals]) -> list[Metric]:
    frames = metric_definitions.FRAMES.counter()
    faults = metric_definitions.CAMERA_FAULTS.counter()
    people = metric_definitions.PEOPLE.counter()
    crossings = metric_definitions.LINE_CROSSINGS.counter()
    for camera, totals in _begun(by_camera):
        for stage in FRAME_STAGES:
            frames.add_metric([camera, stage], totals.get(frames_field(stage), 0.0))
        for verdict in VERDICTS:
            people.add_metric([camera, verdict], totals.get(people_field(verdict), 0.0))
        for field, count in totals.items():
            if crossed := read_crossed_field(field):
                crossings.add_metric([camera, *crossed], count)
            elif kind := read_fault_field(field):
                faults.add_metric([camera, kind], count)
    return [frames, faults, people, crossings]


def _processing(by_camera: Mapping[str, Totals]) -> list[Metric]:
    """What became of frames and tracks, and how old frames were."""
    dropped = metric_definitions.FRAMES_DROPPED.counter()
    discarded = metric_definitions.TRACKS_DISCARDED.counter()
    refused = metric_definitions.COMMITS_REFUSED.counter()
    ages = metric_definitions.FRAME_AGE.histogram()
    for camera, totals in _begun(by_camera):
        for cause in DROP_CAUSES:
            dropped.add_metric([camera, cause], totals.get(dropped_field(cause), 0.0))
        for discard in DISCARD_CAUSES:
            discarded.add_metric([camera, discard], totals.get(discarded_field(discard), 0.0))
        for reason in REFUSALS:
            refused.add_metric([camera, reason], totals.get(refused_field(reason), 0.0))
        for stage in AGED_STAGES:
            _add(ages, [camera, stage], totals, age_field(stage), AGE_BUCKETS_S)
    return [dropped, discarded, refused, ages]


def _begun(by_camera: Mapping[str, Totals]) -> Iterable[tuple[str, Totals]]:
    """Yield the cameras that sent a frame: zeros of the others would be five kilobytes each."""
    return ((camera, totals) for camera, totals in by_camera.items() if totals)


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
