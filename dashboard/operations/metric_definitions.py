"""Every metric that Maskwatch shows: its name, kind and labels, in one place.

`dashboard.operations.metrics` fills them. The Grafana dashboards and docs/reference/metrics.md come
from them, so that nothing can ask for a metric or a label that is not there.
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
"""The values that a label can have; None where a user or a file names them."""


@dataclass(frozen=True)
class Definition:
    """One metric family."""

    name: str
    """Without the ending that a counter or a histogram gives its samples."""
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: Mapping[str, Values] = field(default_factory=dict)

    def counter(self) -> CounterMetricFamily:
        """An empty family to add samples to."""
        self._require("counter")
        return CounterMetricFamily(self.name, self.help, labels=list(self.labels))

    def gauge(self) -> GaugeMetricFamily:
        """An empty family to add samples to."""
        self._require("gauge")
        return GaugeMetricFamily(self.name, self.help, labels=list(self.labels))

    def histogram(self) -> HistogramMetricFamily:
        """An empty family to add samples to."""
        self._require("histogram")
        return HistogramMetricFamily(self.name, self.help, labels=list(self.labels))

    def _require(self, kind: str) -> None:
        if self.kind != kind:
            raise TypeError(f"{self.name} is a {self.kind}, no {kind}")

    @property
    def samples(self) -> tuple[str, ...]:
        """The names under which Prometheus keeps it."""
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
    "1 while Redis lacks data that it had stored; absent while that is not known.",
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
    "1 for the present fault of the camera's connection or stream; absent without one.",
    {**_CAMERA, "kind": FAULT_KINDS},
)
CAMERA_FAULTS: Final = Definition(
    "maskwatch_camera_faults",
    "counter",
    "Times that a fault of the camera's connection or stream began, by kind.",
    {**_CAMERA, "kind": FAULT_KINDS},
)
CAMERA_FIT: Final = Definition(
    "maskwatch_camera_fit",
    "gauge",
    "1 if masks can be measured at the camera, 0 if not; absent until that is known.",
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
    "People who crossed a counting line, by verdict; added when they are gone.",
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
    "Frames published that no worker has committed or dropped yet; absent while disabled.",
    _CAMERA,
)
FRAME_AGE: Final = Definition(
    "maskwatch_frame_age_seconds",
    "histogram",
    "Seconds since capture when a frame left a stage.",
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
    "Time a network took for one batch.",
    {"network": None},
)
BATCH_SIZE: Final = Definition(
    "maskwatch_batch_size",
    "histogram",
    "Images a network was given at once.",
    {"network": None},
)
WORKERS_BUSY: Final = Definition(
    "maskwatch_workers_busy_seconds",
    "counter",
    "Seconds that workers spent at work, not waiting for frames, added up over all workers.",
)
WORKERS: Final = Definition("maskwatch_workers", "gauge", "Worker processes that are alive.")
INGESTS: Final = Definition("maskwatch_ingests", "gauge", "Ingest processes that are alive.")
JOBS_WAITING: Final = Definition(
    "maskwatch_jobs_waiting",
    "gauge",
    "Jobs that no process has begun, by queue.",
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
    "When alert rules were last evaluated; absent before the first time.",
)

DEFINITIONS: Final = tuple(
    value for value in list(globals().values()) if isinstance(value, Definition)
)
"""All of them, in the order of this file."""
