"""Defines every metric of Maskwatch: its name, kind, help and labels.

`dashboard.operations.metrics` fills them. The Grafana dashboards and docs/reference/metrics.md are
generated from them, so that they cannot use a metric or a label that does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from contract.alerts.attempts import OUTCOMES
from contract.alerts.rules import ALERT_KINDS
from contract.cameras.quality import PROBLEMS
from contract.cameras.status import FAULT_KINDS
from contract.people.people import DISCARD_CAUSES
from contract.people.totals import AGED_STAGES, DROP_CAUSES, FRAME_STAGES, REFUSALS
from contract.people.verdicts import VERDICTS

Values = Sequence[str] | None
"""The possible values of a label; None if users or files choose them."""


@dataclass(frozen=True)
class Definition:
    """One metric family."""

    name: str
    """Name without the suffix of a counter's or a histogram's samples."""
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: Mapping[str, Values] = field(default_factory=dict)

    def counter(self) -> CounterMetricFamily:
        """Return an empty family to add samples to."""
        self._require("counter")
        return CounterMetricFamily(self.name, self.help, labels=list(self.labels))

    def gauge(self) -> GaugeMetricFamily:
        """Return an empty family to add samples to."""
        self._require("gauge")
        return GaugeMetricFamily(self.name, self.help, labels=list(self.labels))

    def histogram(self) -> HistogramMetricFamily:
        """Return an empty family to add samples to."""
        self._require("histogram")
        return HistogramMetricFamily(self.name, self.help, labels=list(self.labels))

    def _require(self, kind: str) -> None:
        if self.kind != kind:
            raise TypeError(f"{self.name} is a {self.kind}, no {kind}")

    @property
    def samples(self) -> tuple[str, ...]:
        """The names of the samples in Prometheus."""
        endings = {
            "counter": ("_total",),
            "gauge": ("",),
            "histogram": ("_bucket", "_sum", "_count"),
        }
        return tuple(self.name + ending for ending in endings[self.kind])


_CAMERA: Final[Mapping[str, Values]] = {"camera": None}

REDIS_UP: Final = Definition(
    "maskwatch_redis_up", "gauge", "1 while the dashboard reaches Redis, 0 while it does not."
)
REDIS_STORES: Final = Definition(
    "maskwatch_redis_stores",
    "gauge",
    "1 while Redis accepts writes, 0 while it is full or read-only; absent while it is away.",
)
REDIS_LOST: Final = Definition(
    "maskwatch_redis_lost",
    "gauge",
    "1 while Redis lacks data that it had stored; absent while unknown.",
)
CAMERA_UP: Final = Definition(
    "maskwatch_camera_up",
    "gauge",
    "1 while the camera is live; absent while disabled.",
    _CAMERA,
)
CAMERA_QUALITY: Final = Definition(
    "maskwatch_camera_quality",
    "gauge",
    "1 while this problem makes the camera's counts invalid; absent while disabled.",
    {**_CAMERA, "problem": PROBLEMS},
)
CAMERA_FAULT: Final = Definition(
    "maskwatch_camera_fault",
    "gauge",
    "1 for the current fault of the camera's connection or stream; absent without a fault.",
    {**_CAMERA, "kind": FAULT_KINDS},
)
CAMERA_FAULTS: Final = Definition(
    "maskwatch_camera_faults",
    "counter",
    "Faults of the camera's connection or stream that began, by kind.",
    {**_CAMERA, "kind": FAULT_KINDS},
)
CAMERA_FIT: Final = Definition(
    "maskwatch_camera_fit",
    "gauge",
    "1 if masks can be measured at the camera, 0 if not; absent until known.",
    _CAMERA,
)
FACES: Final = Definition(
    "maskwatch_faces", "gauge", "Faces in view now, by verdict.", {**_CAMERA, "verdict": VERDICTS}
)
PEOPLE: Final = Definition(
    "maskwatch_people", "counter", "People counted, by verdict.", {**_CAMERA, "verdict": VERDICTS}
)
TRACKS_DISCARDED: Final = Definition(
    "maskwatch_tracks_discarded",
    "counter",
    "Tracks that were discarded, by cause.",
    {**_CAMERA, "cause": DISCARD_CAUSES},
)
LINE_CROSSINGS: Final = Definition(
    "maskwatch_line_crossings",
    "counter",
    "People who crossed a counting line, by verdict; counted after they have left.",
    {**_CAMERA, "line": None, "direction": ("in", "out"), "verdict": VERDICTS},
)
FRAMES: Final = Definition(
    "maskwatch_frames",
    "counter",
    "Frames that passed a stage.",
    {**_CAMERA, "stage": FRAME_STAGES},
)
FRAMES_DROPPED: Final = Definition(
    "maskwatch_frames_dropped",
    "counter",
    "Frames that were not analysed, by cause.",
    {**_CAMERA, "cause": DROP_CAUSES},
)
FRAMES_WAITING: Final = Definition(
    "maskwatch_frames_waiting",
    "gauge",
    "Published frames that no worker has committed or dropped yet; absent while disabled.",
    _CAMERA,
)
FRAME_AGE: Final = Definition(
    "maskwatch_frame_age_seconds",
    "histogram",
    "Age of frames when they leave a stage, in seconds since capture.",
    {**_CAMERA, "stage": AGED_STAGES},
)
COMMITS_REFUSED: Final = Definition(
    "maskwatch_commits_refused",
    "counter",
    "Commits of frames that Redis refused, by reason; a refused commit changes nothing.",
    {**_CAMERA, "reason": REFUSALS},
)
INFERENCE: Final = Definition(
    "maskwatch_inference_seconds",
    "histogram",
    "Seconds that a network takes for one batch.",
    {"network": None},
)
BATCH_SIZE: Final = Definition(
    "maskwatch_batch_size",
    "histogram",
    "Images in one batch of a network.",
    {"network": None},
)
WORKERS_BUSY: Final = Definition(
    "maskwatch_workers_busy_seconds",
    "counter",
    "Seconds that all workers together spent working, without the time they waited for frames.",
)
WORKERS: Final = Definition("maskwatch_workers", "gauge", "Worker processes that are alive.")
INGESTS: Final = Definition("maskwatch_ingests", "gauge", "Ingest processes that are alive.")
JOBS_WAITING: Final = Definition(
    "maskwatch_jobs_waiting",
    "gauge",
    "Jobs that no process has started, by queue.",
    {"queue": ("jobs", "images", "recordings", "alerts")},
)
ALERTS_OPEN: Final = Definition(
    "maskwatch_alerts_open", "gauge", "Alerts open now, by kind of rule.", {"kind": ALERT_KINDS}
)
ALERT_DELIVERIES: Final = Definition(
    "maskwatch_alert_deliveries",
    "counter",
    "Attempts to deliver a message, by channel and outcome.",
    {"channel": None, "outcome": OUTCOMES},
)
ALERTS_EVALUATED: Final = Definition(
    "maskwatch_alerts_evaluated_timestamp_seconds",
    "gauge",
    "Time of the last evaluation of alert rules, since the epoch; absent before the first.",
)

DEFINITIONS: Final = tuple(
    value for value in list(globals().values()) if isinstance(value, Definition)
)
"""All of them, in the order of this file."""
