"""The steps of a probe, which the job reports and the dashboard shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

ProbeStep = Literal["resolving", "connecting", "authenticating", "waiting", "measuring"]
"""`resolving` the host's name; `connecting` to its port; `authenticating`: signing in and asking
for the stream; `waiting` for a complete picture, which begins with a key frame; `measuring` the
rate. A local source skips the first three."""

Medium = Literal["stream", "mjpeg", "snapshots", "hls", "film", "webcam", "demo"]
"""What an address leads to: a `stream` (RTSP, or one without end over HTTP); Motion JPEG; one
picture an answer (`snapshots`), for which Maskwatch asks again and again; an HLS playlist; a `film`
on the disk; a webcam; a demo camera."""

PROBE_STEPS: Final[tuple[ProbeStep, ...]] = get_args(ProbeStep)


@dataclass(frozen=True)
class ProbeResult:
    """The picture of a source, or the reason why it has none."""

    source: str = ""
    """Redacted."""
    reachable: bool = False
    width: int = 0
    height: int = 0
    fps: float = 0.0
    codec: str = ""
    medium: Medium = "stream"
    snapshot_jpeg_base64: str = ""
    error: str = ""
    """`kind` of the `SourceError`; empty when reachable."""
    detail: str = ""
    """The error in plain words."""


STEPS_FIELD: Final = "steps"
"""Key in the job's `meta` with a list of `{"step", "after_s"}`, seconds since the probe began."""

RESULT_KEPT_S: Final = 300
"""Seconds for which a probe's result and picture are kept."""

SNAPSHOT: Final = "snapshot"
"""The picture's name in the hash of `keys.probe_picture`."""

SNAPSHOT_FIELD: Final = "snapshot_jpeg_base64"
"""Field of an answer with the picture."""
