"""Cameras, accounts, alert rules and channels, and everything counted, as one file.

Gzipped JSON. Records are as they lie in Redis, so that secrets stay encrypted (the key file is not
in it) and passwords hashed. Each camera's counts are read in one step, together with how far its
frames were counted and who was in view, so that going on from them loses nobody and counts nobody
twice.
Pictures, sessions and one-time links are not in it.
"""

from __future__ import annotations

import gzip
import json
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bus.stores.backup import KINDS, BackupStore, Counts, Kind
from contract.cameras.camera import Camera
from contract.errors import BackupError
from contract.people.minutes import HISTORY_DAYS
from contract.plain_text import STORED
from runtime.own_files import write_whole

FORMAT: Final = 1
MOST_BYTES: Final = 2 * 1024**3
"""Of a file's content: 400 days of 500 cameras are some hundreds of megabytes."""

Outcome = Literal["new", "replaced", "kept", "name taken"]
_Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


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

    kind: Kind
    id: str
    name: str
    outcome: Outcome


def take(store: BackupStore, made_by: str) -> Backup:
    """Read everything that a backup holds."""
    found = {kind: store.records(kind) for kind in KINDS}
    # A browser's webcam ends with its page.
    webcams = [one for one, raw in found["cameras"].items() if _is_webcam(raw)]
    for camera_id in webcams:
        del found["cameras"][camera_id]
    counts = {camera_id: store.counts(camera_id) for camera_id in found["cameras"]}
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


def plan(store: BackupStore, backup: Backup, replace: bool) -> list[Item]:
    """What restoring would do: what is there stays as it is, unless `replace`.

    A name that another record has is never taken away from it.
    """
    items = []
    for kind in KINDS:
        there = store.records(kind)
        names = {_name(raw).lower(): one for one, raw in there.items()}
        for record_id, raw in getattr(backup, kind).items():
            taken = names.get(_name(raw).lower(), record_id) != record_id and kind != "api_keys"
            outcome: Outcome = "name taken" if taken else "new"
            if record_id in there and not taken:
                outcome = "replaced" if replace else "kept"
            items.append(Item(kind, record_id, _name(raw), outcome))
    return items


def restore(
    store: BackupStore, backup: Backup, replace: bool, history_days: int = HISTORY_DAYS
) -> list[Item]:
    """Write what `plan` says, and return it. Doing it again changes nothing."""
    items = plan(store, backup, replace)
    for item in items:
        if item.outcome not in {"new", "replaced"}:
            continue
        # Counts first: a camera that a worker sees has what was counted before.
        if item.kind == "cameras" and item.id in backup.counts:
            store.write_counts(item.id, backup.counts[item.id], history_days)
        store.write_record(item.kind, item.id, getattr(backup, item.kind)[item.id])
    store.announce()
    return items


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
