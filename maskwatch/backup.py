"""Cameras, accounts, alert rules and channels, and everything counted, as one file.

Gzipped JSON. Records are as they lie in Redis, so that secrets stay encrypted (the key file is not
in it) and passwords hashed. Each camera's counts are read in one step, together with how far its
frames were counted and who was in view, so that going on from them loses nobody and counts nobody
twice.
Pictures, sessions and one-time links are not in it.
"""

from __future__ import annotations

import base64
import gzip
import json
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from redis import Redis

from bus import keys
from bus.keys import AlertKeys, CameraKeys
from bus.stores.history import DAY_S, forget_history
from contract.cameras.camera import Camera
from contract.errors import BackupError
from contract.people.minutes import HISTORY_DAYS, LONGEST_HISTORY_DAYS
from contract.plain_text import STORED
from runtime.own_files import write_whole

FORMAT: Final = 1
MOST_BYTES: Final = 2 * 1024**3
"""Of a file's content: 400 days of 500 cameras are some hundreds of megabytes."""

Outcome = Literal["new", "replaced", "kept", "name taken"]
_HASHES: Final = {
    "channels": AlertKeys.CHANNELS,
    "rules": AlertKeys.RULES,
    "users": keys.USERS,
    "api_keys": keys.API_KEYS,
    "cameras": keys.CAMERAS,
}
_Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
_Hash = dict[str, str]


class Counts(BaseModel):
    """What was counted at one camera, and what its next worker goes on from."""

    model_config = ConfigDict(extra="forbid")

    totals: _Hash = {}
    minutes: _Hash = {}
    days: dict[int, str] = {}
    """Packed days in base 64, by number."""
    people: list[tuple[str, str]] = []
    """Rows with their ids."""
    condition: _Hash = {}
    position: str = ""
    tracker: str = ""
    latest: str = ""


class Backup(BaseModel):
    """The whole content of a file."""

    model_config = ConfigDict(extra="forbid")

    format: int
    made_at_s: float
    made_by: str
    """Version of Maskwatch."""
    channels: dict[_Id, str]
    rules: dict[_Id, str]
    users: dict[_Id, str]
    api_keys: dict[_Id, str]
    cameras: dict[_Id, str]
    counts: dict[_Id, Counts]


@dataclass(frozen=True)
class Item:
    """What becomes, or would become, of one record of a backup."""

    kind: str
    id: str
    name: str
    outcome: Outcome


def take(redis: Redis, made_by: str) -> Backup:
    """Read everything that a backup holds."""
    found = {kind: _texts(redis.hgetall(name)) for kind, name in _HASHES.items()}
    # A browser's webcam ends with its page.
    webcams = [one for one, raw in found["cameras"].items() if _is_webcam(raw)]
    for camera_id in webcams:
        del found["cameras"][camera_id]
    counts = {camera_id: _read_counts(redis, camera_id) for camera_id in found["cameras"]}
    return Backup(format=FORMAT, made_at_s=time.time(), made_by=made_by, counts=counts, **found)


def write(backup: Backup, path: Path) -> None:
    """Write a file that only its owner can read, in one step that cannot half happen."""
    write_whole(path, gzip.compress(backup.model_dump_json().encode()))


def read(path: Path) -> Backup:
    """Read what `write` wrote.

    Raises:
        BackupError: it is no backup, damaged, or made by a newer Maskwatch.
    """
    try:
        with gzip.open(path) as file:
            raw = file.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise BackupError(f"{path} holds more than {MOST_BYTES} bytes, so it is no backup")
        record = json.loads(raw)
    except (OSError, EOFError, zlib.error, ValueError, RecursionError) as error:
        if isinstance(error, BackupError):
            raise
        raise BackupError(f"{path} is no backup of Maskwatch, or is damaged") from error
    found = record.get("format") if isinstance(record, dict) else None
    if isinstance(found, int) and found > FORMAT:
        raise BackupError(
            f"{path} was made by Maskwatch {record.get('made_by')} in format {found}; this one "
            f"reads up to format {FORMAT}: upgrade, then restore"
        )
    try:
        backup = Backup.model_validate(record)
        for raw_camera in backup.cameras.values():
            Camera.model_validate_json(raw_camera, context=STORED)
    except ValidationError as error:
        where = ".".join(map(str, error.errors(include_input=False)[0]["loc"][:3]))
        raise BackupError(f"{path} is no backup of Maskwatch, or is damaged: {where}") from None
    return backup


def plan(redis: Redis, backup: Backup, replace: bool) -> list[Item]:
    """What restoring would do: what is there stays as it is, unless `replace`.

    A name that another record has is never taken away from it.
    """
    items = []
    for kind, name in _HASHES.items():
        there = _texts(redis.hgetall(name))
        names = {_name(raw).lower(): one for one, raw in there.items()}
        for record_id, raw in getattr(backup, kind).items():
            taken = names.get(_name(raw).lower(), record_id) != record_id and kind != "api_keys"
            outcome: Outcome = "name taken" if taken else "new"
            if record_id in there and not taken:
                outcome = "replaced" if replace else "kept"
            items.append(Item(kind, record_id, _name(raw), outcome))
    return items


def restore(
    redis: Redis, backup: Backup, replace: bool, history_days: int = HISTORY_DAYS
) -> list[Item]:
    """Write what `plan` says, and return it. Doing it again changes nothing."""
    items = plan(redis, backup, replace)
    for item in items:
        if item.outcome not in {"new", "replaced"}:
            continue
        # Counts first: a camera that a worker sees has what was counted before.
        if item.kind == "cameras" and item.id in backup.counts:
            _write_counts(redis, item.id, backup.counts[item.id], history_days)
        redis.hset(_HASHES[item.kind], item.id, getattr(backup, item.kind)[item.id])
    redis.incr(keys.CAMERAS_REVISION)
    return items


def _read_counts(redis: Redis, camera_id: str) -> Counts:
    names = CameraKeys(camera_id)
    today = int(time.time() // DAY_S)
    days = range(today - LONGEST_HISTORY_DAYS, today + 2)
    with redis.pipeline(transaction=True) as pipeline:
        for hash_name in (names.totals, names.minutes, names.condition):
            pipeline.hgetall(hash_name)
        pipeline.mget(names.position, names.tracker, names.latest)
        pipeline.xrange(names.people)
        pipeline.mget([names.day(day) for day in days])
        answer: list[Any] = pipeline.execute()
    totals, minutes, condition, (position, tracker, latest), people, packed = answer
    return Counts(
        totals=_texts(totals),
        minutes=_texts(minutes),
        condition=_texts(condition),
        position=(position or b"").decode(),
        tracker=(tracker or b"").decode(),
        latest=(latest or b"").decode(),
        people=[(row.decode(), fields[b"person"].decode()) for row, fields in people],
        days={
            day: base64.b64encode(blob).decode()
            for day, blob in zip(days, packed, strict=True)
            if blob
        },
    )


def _write_counts(redis: Redis, camera_id: str, counts: Counts, history_days: int) -> None:
    """Put a camera's counts in place of those there; leases and their fence stay."""
    names = CameraKeys(camera_id)
    forget_history(redis, camera_id, time.time())
    position = _newer_than_any(redis, names, counts.position)
    with redis.pipeline(transaction=True) as pipeline:
        for name, fields in (
            (names.totals, counts.totals),
            (names.minutes, counts.minutes),
            (names.condition, counts.condition),
        ):
            pipeline.delete(name)
            if fields:
                pipeline.hset(name, mapping=dict[Any, Any](fields))
        for name, text in (
            (names.position, position),
            (names.tracker, counts.tracker),
            (names.latest, counts.latest),
        ):
            pipeline.delete(name)
            if text:
                pipeline.set(name, text)
        # Frames that were numbered otherwise.
        pipeline.delete(names.frames, names.view, names.people)
        for row_id, person in counts.people:
            pipeline.xadd(names.people, {"person": person}, id=row_id)
        for day, blob in _days(counts, history_days):
            pipeline.set(names.day(day), blob, exat=(day + 1 + history_days) * DAY_S)
        pipeline.execute()


def _newer_than_any(redis: Redis, names: CameraKeys, position: str) -> str:
    """The position, with a number of commits that no worker builds on: theirs are refused."""
    there: Any = redis.get(names.position)
    commits = max(_commits((there or b"").decode()), _commits(position)) + 1
    return f"{position.partition(' ')[0] or 0} {commits}"


def _commits(position: str) -> int:
    commits = position.partition(" ")[2]
    return int(commits) if commits.isdigit() else 0


def _days(counts: Counts, history_days: int) -> Iterator[tuple[int, bytes]]:
    oldest = time.time() // DAY_S - history_days
    for day, encoded in counts.days.items():
        if day >= oldest:
            yield day, base64.b64decode(encoded)


def _texts(found: Any) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in found.items()}


def _name(raw: str) -> str:
    try:
        return str(json.loads(raw).get("name", ""))
    except (ValueError, AttributeError, RecursionError):
        return ""


def _is_webcam(raw: str) -> bool:
    try:
        return bool(Camera.model_validate_json(raw, context=STORED).owner)
    except ValidationError:
        return True  # what nobody can read here nobody can restore
