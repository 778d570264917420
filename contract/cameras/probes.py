"""How far a probe of a camera is: what the job says while it runs, and the dashboard shows."""

from __future__ import annotations

from typing import Final, Literal, get_args

ProbeStep = Literal["resolving", "connecting", "authenticating", "waiting", "measuring"]
"""`resolving` the host's name; `connecting` to its port; `authenticating`, signing in and asking
for the stream; `waiting` for a whole picture, which begins with a key frame; `measuring` the rate.
A source that is no network's only waits."""

PROBE_STEPS: Final[tuple[ProbeStep, ...]] = get_args(ProbeStep)

STEPS_FIELD: Final = "steps"
"""In the job's `meta`: a list of `{"step", "after_s"}`, seconds since the probe began."""

RESULT_KEPT_S: Final = 300
"""A probe's result and picture go after this."""

SNAPSHOT: Final = "snapshot"
"""The picture's name in the hash of `keys.probe_picture`."""

SNAPSHOT_FIELD: Final = "snapshot_jpeg_base64"
"""Where an answer has the picture."""
