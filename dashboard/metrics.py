"""Prometheus metrics, read from Redis when scraped.

All totals live in Redis, so restarting the dashboard or running several changes no number;
scrape one of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, cast

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from redis import Redis
from redis.exceptions import RedisError

from contract import keys
from contract.alert_channels import channel_names
from contract.alert_deliveries import OUTCOMES, DeliveryStore
from contract.alert_rules import ALERT_KINDS
from contract.alerts import AlertStore
from contract.camera_registry import CameraRegistry
from contract.keys import CameraKeys
from contract.members import Membership
from contract.people import DISCARD_CAUSES
from contract.quality import PROBLEMS
from contract.totals import (
    AGE_BUCKETS_S,
    AGED_STAGES,
    BATCH_BUCKETS,
    DROP_CAUSES,
    FRAME_STAGES,
    INFERENCE_BUCKETS_S,
    REFUSALS,
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
    read_histogram,
    refused_field,
)
from contract.verdicts import VERDICTS
from dashboard.board import CameraSnapshot, read_snapshots

Totals = Mapping[str, float]
NETWORK_FIELD_END: Final = inference_field("") + ":"


class TotalsCollector(Collector):
    """Everything in Redis as metric families; while Redis is away, only that it is."""

    def __init__(self, redis: Redis, members: Mapping[str, Membership]) -> None:
        self._redis = redis
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
        up = GaugeMetricFamily(
            "maskwatch_redis_up", "Whether the dashboard reaches Redis.", bool(families)
        )
        return [up, *families]

    def _cameras(self) -> list[Metric]:
        cameras = [one for one in CameraRegistry(self._redis).all() if not one.owner]
        snapshots = read_snapshots(self._redis, cameras)
        with self._redis.pipeline(transaction=False) as pipeline:
            for camera in cameras:
                pipeline.hgetall(CameraKeys(camera.id).totals)
            totals = [decode_totals(raw) for raw in pipeline.execute()] if cameras else []
        return [
            *_states(snapshots),
            *_counters({s.camera.name: t for s, t in zip(snapshots, totals, strict=True)}),
        ]

    def _networks(self) -> list[Metric]:
        totals = decode_totals(cast(dict[bytes, bytes], self._redis.hgetall(keys.INFERENCE)))
        seconds = HistogramMetricFamily(
            "maskwatch_inference_seconds", "Time a network took for one batch.", labels=["network"]
        )
        batches = HistogramMetricFamily(
            "maskwatch_batch_size", "Images a network was given at once.", labels=["network"]
        )
        for network in sorted({f.split(NETWORK_FIELD_END)[0] for f in totals if _timed(f)}):
            _add(seconds, [network], totals, inference_field(network), INFERENCE_BUCKETS_S)
            _add(batches, [network], totals, batch_field(network), BATCH_BUCKETS)
        return [seconds, batches]

    def _alerts(self) -> list[Metric]:
        is_open = GaugeMetricFamily(
            "maskwatch_alerts_open", "Alerts open now, by kind of rule.", labels=["kind"]
        )
        kinds = Counter(alert.kind for alert in AlertStore(self._redis).open())
        for kind in ALERT_KINDS:
            is_open.add_metric([kind], kinds[kind])
        deliveries = CounterMetricFamily(
            "maskwatch_alert_deliveries",
            "Attempts to deliver a message, by channel and by what came of them.",
            labels=["channel", "outcome"],
        )
        totals = DeliveryStore(self._redis).totals()
        for channel_id, name in channel_names(self._redis).items():
            for outcome in OUTCOMES:
                deliveries.add_metric([name, outcome], totals.get((channel_id, outcome), 0))
        evaluated = GaugeMetricFamily(
            "maskwatch_alerts_evaluated_timestamp_seconds",
            "When alert rules were last evaluated; absent before the first time.",
        )
        if (at_s := AlertStore(self._redis).evaluated_at_s()) is not None:
            evaluated.add_metric([], at_s)
        return [is_open, deliveries, evaluated]

    def _processes(self) -> list[Metric]:
        return [
            GaugeMetricFamily(
                f"maskwatch_{role}", f"Processes alive: {role}.", len(membership.live())
            )
            for role, membership in self._members.items()
        ]


def _timed(field: str) -> bool:
    return NETWORK_FIELD_END in field


def _states(snapshots: Sequence[CameraSnapshot]) -> list[Metric]:
    up = GaugeMetricFamily(
        "maskwatch_camera_up",
        "1 while the camera is live; absent while disabled.",
        labels=["camera"],
    )
    faces = GaugeMetricFamily(
        "maskwatch_faces", "Faces in view now, by verdict.", labels=["camera", "verdict"]
    )
    quality = GaugeMetricFamily(
        "maskwatch_camera_quality",
        "1 while this makes what the camera counts invalid; absent while disabled.",
        labels=["camera", "problem"],
    )
    fit = GaugeMetricFamily(
        "maskwatch_camera_fit",
        "1 if masks can be measured at the camera, 0 if not; absent until that is known.",
        labels=["camera"],
    )
    for snapshot in snapshots:
        name = snapshot.camera.name
        if snapshot.camera.enabled:  # one switched off on purpose is nobody's alarm
            up.add_metric([name], snapshot.status.state == "live")
            for problem in PROBLEMS:
                quality.add_metric([name, problem], problem in snapshot.quality.problems)
        for verdict, count in snapshot.faces_in_view().items():
            faces.add_metric([name, verdict], count)
        if snapshot.condition.fitness.verdict != "learning":
            fit.add_metric([name], snapshot.condition.fitness.verdict == "fit")
    return [up, faces, quality, fit]


def _counters(by_camera: Mapping[str, Totals]) -> list[Metric]:
    frames = CounterMetricFamily(
        "maskwatch_frames", "Frames by how far they came.", labels=["camera", "stage"]
    )
    dropped = CounterMetricFamily(
        "maskwatch_frames_dropped", "Frames not analysed, by why.", labels=["camera", "cause"]
    )
    people = CounterMetricFamily(
        "maskwatch_people", "People counted, by verdict.", labels=["camera", "verdict"]
    )
    discarded = CounterMetricFamily(
        "maskwatch_tracks_discarded", "Tracks that were nobody, by why.", labels=["camera", "cause"]
    )
    crossings = CounterMetricFamily(
        "maskwatch_line_crossings",
        "People who crossed a counting line, when gone, by verdict.",
        labels=["camera", "line", "direction", "verdict"],
    )
    refused = CounterMetricFamily(
        "maskwatch_commits_refused",
        "Outcomes of frames that Redis refused, changing nothing, by why.",
        labels=["camera", "reason"],
    )
    ages = HistogramMetricFamily(
        "maskwatch_frame_age_seconds",
        "Seconds since capture when a frame left a stage.",
        labels=["camera", "stage"],
    )
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
        for reason in REFUSALS:
            refused.add_metric([camera, reason], totals.get(refused_field(reason), 0.0))
        for stage in AGED_STAGES:
            _add(ages, [camera, stage], totals, age_field(stage), AGE_BUCKETS_S)
    return [frames, dropped, people, discarded, crossings, refused, ages]


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
