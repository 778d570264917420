"""The names of all keys in Redis.

All keys of one camera have `{cam:ID}` in their names. So `bus.cluster.places` keeps them on one
server of a Redis Cluster, and a script may change them together.
"""

from __future__ import annotations

from typing import Final

PREFIX: Final = "maskwatch"

CAMERAS: Final = f"{PREFIX}:cameras"
"""Hash: camera id to its record as JSON."""

CAMERAS_REVISION: Final = f"{PREFIX}:cameras:revision"
"""Counter: rises with each change to `CAMERAS`."""

WIRE: Final = f"{PREFIX}:wire"
"""String: the newest message version of all processes so far; see `bus.wire`."""

STORES: Final = f"{PREFIX}:stores"
"""String with expiry: written to check whether Redis stores data."""

MARKS: Final = f"{PREFIX}:stores:marks"
"""Sorted set: each run of a Redis server to the time of its last write here, in milliseconds."""

MISSING: Final = f"{PREFIX}:stores:missing"
"""Sorted set: runs with data missing in `MARKS`, to the last write that a process saw."""

INFERENCE: Final = f"{PREFIX}:inference"
"""Hash: totals of the networks' histograms and of workers' busy time, over all workers so far."""

JOBS_QUEUE: Final = "maskwatch-jobs"
"""RQ's queue for background jobs; never live frames."""

IMAGES_QUEUE: Final = "maskwatch-images"
"""RQ's queue for uploaded images, for processes that keep the networks loaded."""

UPLOADED_PICTURES: Final = f"{PREFIX}:{{upload:*}}:pictures"
"""Pattern of the keys that hold uploaded pictures."""

RECORDINGS_QUEUE: Final = "maskwatch-recordings"
"""RQ's queue for uploaded recordings."""

RECORDINGS: Final = f"{PREFIX}:recording:*"
"""Pattern of the names that `recording` returns."""

USERS: Final = f"{PREFIX}:users"
"""Hash: user id to the account as JSON, with the password's hash."""

API_KEYS: Final = f"{PREFIX}:api-keys"
"""Hash: API key id to its record as JSON, with the key's hash."""

API_KEYS_USED: Final = f"{PREFIX}:api-keys:used"
"""Hash: API key id to its last use, to the minute."""

AUDIT: Final = f"{PREFIX}:audit"
"""Stream: the audit log; capped."""


def audit_of(digest: str) -> str:
    """Sorted set: the entries of `AUDIT` of one account, or of one of its actions, by time."""
    return f"{AUDIT}:of:{digest}"


LIMITS: Final = f"{PREFIX}:limits"
"""Prefix of the counters that slow down the guessing of passwords."""


ALERTS_QUEUE: Final = "maskwatch-alerts"
"""RQ's queue for messages of alerts, whose receivers may hang."""


class AlertKeys:
    """The keys of alerts, on one node: a script changes them together."""

    _BASE: Final = f"{PREFIX}:{{alerts}}"
    RULES: Final = f"{_BASE}:rules"
    """Hash: rule id to the rule as JSON."""
    CHANNELS: Final = f"{_BASE}:channels"
    """Hash: channel id to the channel as JSON, with encrypted secrets."""
    EVALUATOR: Final = f"{_BASE}:evaluator"
    """String with expiry: the one process that evaluates rules (a lock of redis-py)."""
    EVALUATED: Final = f"{_BASE}:evaluated"
    """String: when all rules were last evaluated, seconds since the epoch."""
    WATCHES: Final = f"{_BASE}:watches"
    """Hash: `rule id:camera id` to the state of that rule at that camera, as JSON."""
    OPEN: Final = f"{_BASE}:open"
    """Hash: alert id to the open alert as JSON."""
    CURRENT: Final = f"{_BASE}:current"
    """Hash: id of an open alert to its newest finding, in words."""
    ACKNOWLEDGED: Final = f"{_BASE}:acknowledged"
    """Hash: id of an open alert to its acknowledgement, as JSON."""
    CLOSED: Final = f"{_BASE}:closed"
    """Stream: resolved alerts and their acknowledgements, each as JSON; capped, trimmed by age."""
    OUTBOX: Final = f"{_BASE}:outbox"
    """Hash: delivery id to the undelivered message, as JSON."""
    LOG: Final = f"{_BASE}:log"
    """Stream: every delivery attempt with its outcome, each as JSON; capped, trimmed by age."""
    REPORTS: Final = f"{_BASE}:reports"
    """Hash: id of a report's schedule to the schedule as JSON."""
    REPORTS_PLANNED: Final = f"{_BASE}:reports:planned"
    """Hash: id of a schedule to the end of the newest period planned or sent, in seconds."""
    REPORTS_TRIED: Final = f"{_BASE}:reports:tried"
    """Hash: id of a schedule to its last delivery attempt, as JSON."""
    TOTALS: Final = f"{_BASE}:totals"
    """Hash: `channel id:outcome` to the number of attempts with that outcome."""

    @classmethod
    def sending(cls, delivery_id: str) -> str:
        """String with expiry: a process is sending this message now."""
        return f"{cls._BASE}:sending:{delivery_id}"


class AuditKeys:
    """The keys of audits, on one node."""

    _BASE: Final = f"{PREFIX}:{{audits}}"
    ALL: Final = f"{_BASE}:all"
    """Hash: audit id to the audit as JSON."""
    RUNNING: Final = f"{_BASE}:running"
    """Sorted set: audits for which people are drawn, to when that ends."""
    COUNTS: Final = f"{_BASE}:counts"
    """Hash: camera id to what its newest audit tells of errors there, as JSON."""

    def __init__(self, audit_id: str) -> None:
        base = f"{self._BASE}:{audit_id}"
        self.people = f"{base}:people"
        """Hash: person id to the drawn person as JSON."""
        self.judgements = f"{base}:judgements"
        """Hash: `person id judge` to the judgement as JSON."""
        self.counted = f"{base}:counted"
        """Hash: `camera id verdict` to how many were counted while people were drawn."""

    def pictures(self, person_id: str) -> str:
        """Hash with expiry: the sealed pictures of a drawn person, by number."""
        return f"{self.people}:{person_id}:pictures"


def probe_picture(probe_id: str) -> str:
    """Hash with expiry: the `snapshot` of one probe, sealed. Not in the append-only file."""
    return f"{PREFIX}:probe:{probe_id}:picture"


def recording(recording_id: str) -> str:
    """String with expiry: one uploaded recording, its owner and its report, as JSON."""
    return f"{PREFIX}:recording:{recording_id}"


def session(digest: str) -> str:
    """String with expiry: one signed-in browser, by the hash of its cookie's token."""
    return f"{PREFIX}:session:{digest}"


def user_sessions(user_id: str) -> str:
    """Set: the sessions of one user, by hash."""
    return f"{PREFIX}:user:{user_id}:sessions"


def link(digest: str) -> str:
    """String with expiry: the user of a one-time link, by the hash of its token."""
    return f"{PREFIX}:link:{digest}"


def user_link(user_id: str) -> str:
    """String with expiry: the hash of a user's valid link."""
    return f"{PREFIX}:user:{user_id}:link"


def members(role: str) -> str:
    """Sorted set: members of `role` (ingest, worker, jobs) by Redis time of the last heartbeat."""
    return f"{PREFIX}:{{members:{role}}}"


def member_details(role: str) -> str:
    """Hash: members of `role` to their details, as JSON."""
    return f"{PREFIX}:{{members:{role}}}:details"


def member_connections(role: str) -> str:
    """Hash: members of `role` to the number of a connection that closes with the process."""
    return f"{PREFIX}:{{members:{role}}}:connections"


class UploadKeys:
    """The keys of one upload of images; both expire."""

    def __init__(self, upload_id: str) -> None:
        base = f"{PREFIX}:{{upload:{upload_id}}}"
        self.record = base
        """String: the owner and the results, as JSON."""
        self.pictures = f"{base}:pictures"
        """Hash: `given:N` until they are analysed, `shown:N` after that. Not written to the
        append-only file."""


class CameraKeys:
    """The keys of one camera."""

    def __init__(self, camera_id: str) -> None:
        base = f"{PREFIX}:{{cam:{camera_id}}}"
        self.frames = f"{base}:frames"
        """Stream: the newest sampled frames. Not written to the append-only file."""
        self.view = f"{base}:view"
        """Stream of one: the newest annotated frame. Not written to the append-only file."""
        self.status = f"{base}:status"
        """String: the camera's status from ingest, as JSON."""
        self.connections = f"{base}:connections"
        """Stream: the connection's last states, each with its reason; capped."""
        self.totals = f"{base}:totals"
        """Hash: every counter and histogram of the camera."""
        self.position = f"{base}:position"
        """String: sequence of the newest frame committed or dropped by a worker, and the number
        of commits so far."""
        self.tracker = f"{base}:tracker"
        """String: the tracks as of `position`, as JSON."""
        self.condition = f"{base}:condition"
        """Hash: `report`, the worker's report on the camera's picture, and `state`, what it has
        learnt about it; both JSON."""
        self.latest = f"{base}:latest"
        """String: the faces of the newest analysed frame, as JSON."""
        self.minutes = f"{base}:minutes"
        """Hash: the newest minutes, before packing into their day; see `bus.stores.history`."""
        self.people = f"{base}:people"
        """Stream: the last counted people, without pictures; capped, expiring."""
        self.tallies = f"{base}:tallies"
        """List: the last tallies, newest first, as JSON; capped."""
        self.watched = f"{base}:watched"
        """String with expiry: this camera is being watched."""
        self.watched_large = f"{base}:watched:large"
        """String with expiry: this camera is being watched in a large picture."""
        self.ingest_lease = f"{base}:lease:ingest"
        self.worker_lease = f"{base}:lease:worker"
        self.fence = f"{base}:fence"
        """Counter: the newest fencing token of this camera."""

    def pictures(self) -> tuple[str, ...]:
        """The keys that hold pictures of people."""
        return self.frames, self.view

    def lease(self, role: str) -> str:
        """The lease key of `role`, `ingest` or `worker`."""
        return {"ingest": self.ingest_lease, "worker": self.worker_lease}[role]

    def day(self, day: int) -> str:
        """The packed minutes of one day, numbered since the epoch in UTC; expires."""
        return f"{self.minutes}:{day}"

    def sums(self, sheet: int) -> str:
        """The sums of some packed days; expires. See `bus.stores.day_sums`."""
        return f"{self.minutes}:sums:{sheet}"

    def all(self) -> tuple[str, ...]:
        """Every key of the camera except its packed days and their sums."""
        return tuple(vars(self).values())
