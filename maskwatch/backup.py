"""Cameras, accounts, alert rules and channels, and everything counted, as one file.

Gzipped JSON. The file holds the records of Redis unchanged: secrets stay encrypted (the key file is
not in it) and passwords hashed. A camera's counts are read in one step with its position and the
people in view, so that counting goes on from them without losing or repeating a person.
Pictures, sessions and one-time links are not in the file.
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
from contract.names import alike
from contract.people.minutes import HISTORY_DAYS
from contract.plain_text import STORED
from runtime.own_files import write_whole

FORMAT: Final = 2
MOST_BYTES: Final = 2 * 1024**3
"""Largest content of a file, uncompressed. 400 days of 500 cameras take a few hundred megabytes."""

Outcome = Literal["new", "replaced", "kept", "name taken"]
_Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class Backup(BaseModel):
    """The whole content of a file."""

    model_config = ConfigDict(extra="forbid")

    format: int
    made_at_s: float
    made_by: str
    """The version of Maskwatch that wrote the file."""
    channels: dict[_Id, str]
    rules: dict[_Id, str]
    reports: dict[_Id, str] = {}
    """Schedules of reports; since format 2."""
    users: dict[_Id, str]
    api_keys: dict[_Id, str]
    cameras: dict[_Id, str]
    counts: dict[_Id, Counts]


@dataclass(frozen=True)
class Item:
    """The outcome of restoring one record, carried out or planned."""

    kind: Kind
    id: str
    name: str
    outcome: Outcome


def take(store: BackupStore, made_by: str) -> Backup:
    """Read everything that a backup contains."""
    found = {kind: store.records(kind) for kind in KINDS}
    # A browser's webcam ends with its page.
    webcams = [one for one, raw in found["cameras"].items() if _is_webcam(raw)]
    for camera_id in webcams:
        del found["cameras"][camera_id]
    counts = {camera_id: store.counts(camera_id) for camera_id in found["cameras"]}
    return Backup(format=FORMAT, made_at_s=time.time(), made_by=made_by, counts=counts, **found)


def write(backup: Backup, path: Path) -> None:
    """Write a file that only its owner can read, atomically."""
    write_whole(path, gzip.compress(backup.model_dump_json().encode()))


def read(path: Path) -> Backup:
    """Read what `write` wrote.

    Raises:
        BackupError: the file is not a backup, is damaged, or comes from a newer version.
    """
    try:
        with gzip.open(path) as file:
            raw = file.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise BackupError(f"{path} has more than {MOST_BYTES} bytes, so it is not a backup")
        record = json.loads(raw)
    except (OSError, EOFError, zlib.error, ValueError, RecursionError) as error:
        if isinstance(error, BackupError):
            raise
        raise BackupError(f"{path} is not a backup of Maskwatch, or is damaged") from error
    found = record.get("format") if isinstance(record, dict) else None
    if isinstance(found, int) and found > FORMAT:
        raise BackupError(
            f"{path} was made by Maskwatch {record.get('made_by')} in format {found}; this version "
            f"reads up to format {FORMAT}: upgrade, then restore"
        )
    try:
        backup = Backup.model_validate(record)
        for raw_camera in backup.cameras.values():
            Camera.model_validate_json(raw_camera, context=STORED)
    except ValidationError as error:
        where = ".".join(map(str, error.errors(include_input=False)[0]["loc"][:3]))
        raise BackupError(f"{path} is not a backup of Maskwatch, or is damaged: {where}") from None
    return backup


def plan(store: BackupStore, backup: Backup, replace: bool) -> list[Item]:
    """Return what restoring would do. Existing records stay unchanged, unless `replace`.

    A record whose name belongs to another existing record is not restored.
    """
    items = []
    for kind in KINDS:
        there = store.records(kind)
        names = {alike(_name(raw)): one for one, raw in there.items()}
        for record_id, raw in getattr(backup, kind).items():
            taken = names.get(alike(_name(raw)), record_id) != record_id and kind != "api_keys"
            outcome: Outcome = "name taken" if taken else "new"
            if record_id in there and not taken:
                outcome = "replaced" if replace else "kept"
            items.append(Item(kind, record_id, _name(raw), outcome))
    return items


def restore(
    store: BackupStore, backup: Backup, replace: bool, history_days: int = HISTORY_DAYS
) -> list[Item]:
    """Carry out `plan` and return it. Restoring again changes nothing."""
    items = plan(store, backup, replace)
    for item in items:
        if item.outcome not in {"new", "replaced"}:
            continue
        # Counts first: as soon as a worker sees the camera, its earlier counts must be there.
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
        return True  # an unreadable camera cannot be restored either
