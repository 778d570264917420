"""Plans the changes of an import without making them, then makes all of them in one step."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from bus.stores.cameras import CameraRegistry, unique_name
from contract.accounts.grants import Role
from contract.cameras.camera import Camera, changed_camera, is_network_address, make_camera
from contract.cameras.file_sources import HOW_TO_HAVE_ONE
from contract.errors import CameraConfigError, CameraFieldsError
from contract.names import alike, other_spelling
from contract.redaction import HIDDEN
from dashboard.cameras.file.entries import FIELDS, Entry, Problem, repeatable, without_empty

Outcome = Literal["added", "changed", "unchanged", "refused", "removed"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("added", "changed", "unchanged", "refused", "removed")

May = Callable[[Role, str], bool]
"""Whether the client has the role for cameras of a group."""
MayRead = Callable[[str], bool]
"""Whether the client may have a source read, if it is a file."""


@dataclass(frozen=True)
class FieldChange:
    """A field before and after the change, without passwords."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Row:
    """A camera of the file, or a camera to be removed because the file lacks it."""

    outcome: Outcome
    name: str
    camera: Camera | None
    """The camera after the change; before it, if it is removed; None if it is refused."""
    line: int | None = None
    before: Camera | None = None
    changes: tuple[FieldChange, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Plan:
    """The outcome of each camera, in the order of the file."""

    rows: tuple[Row, ...]

    def of(self, *outcomes: Outcome) -> list[Row]:
        """Return the rows with this outcome."""
        return [row for row in self.rows if row.outcome in outcomes]

    def counts(self) -> dict[Outcome, int]:
        """Return the number of rows of each outcome."""
        return {outcome: len(self.of(outcome)) for outcome in OUTCOMES}

    def words(self) -> str:
        """Return the numbers in words: `3 added, 197 unchanged`."""
        return ", ".join(f"{count} {outcome}" for outcome, count in self.counts().items() if count)


def carry_out(plan: Plan, registry: CameraRegistry, revision: int) -> None:
    """Save the plan's new and changed cameras, and remove the others, in one step.

    Raises:
        CamerasChangedError: the registry has changed since `revision`, which the plan is based on.
    """
    written = [row.camera for row in plan.of("added", "changed") if row.camera]
    removed = [row.camera.id for row in plan.of("removed") if row.camera]
    if written or removed:
        registry.apply(revision, written, removed)


def make_plan(
    entries: Sequence[Entry],
    everyone: Sequence[Camera],
    may: May,
    may_read: MayRead,
    remove_missing: bool = False,
) -> Plan:
    """Compare a file with the existing cameras.

    `everyone`: all cameras, including those hidden from the client; these are in no answer, but
    keep their names. `remove_missing`: remove cameras that the file lacks.
    """
    seen = [camera for camera in everyone if not camera.owner and may("viewer", camera.group)]
    rows = _different_cameras([_row(entry, seen, may, may_read) for entry in entries])
    if remove_missing:
        kept = {row.before.id for row in rows if row.before}
        rows += [_removal(camera, may) for camera in seen if camera.id not in kept]
    return Plan(tuple(_different_names(_own_spellings(rows, everyone), everyone)))


def _row(entry: Entry, seen: Sequence[Camera], may: May, may_read: MayRead) -> Row:
    meant = _match(entry, seen)
    before = meant[0] if len(meant) == 1 else None
    name = repeatable(str(entry.values.get("name") or (before.name if before else "")))
    row = Row("refused", name, None, entry.line, before, (), entry.problems)
    if entry.problems:
        return row
    if len(meant) > 1:
        words = "several cameras have this name; say which with the id or the group"
        return replace(row, problems=(Problem("name", words),))
    values = {field: value for field, value in entry.values.items() if field != "id"}
    try:
        camera = _changed(before, values, may) if before else _added(values)
    except CameraFieldsError as error:
        return replace(row, problems=tuple(Problem(*problem) for problem in error.problems))
    except CameraConfigError as error:
        field, _, detail = str(error).partition(": ")
        return replace(row, problems=(Problem(field, detail),))
    changes = tuple(_changes(before, camera)) if before else ()
    if before and not changes:
        return replace(row, outcome="unchanged", camera=camera)
    if problems := tuple(_not_allowed(before, camera, may, may_read)):
        return replace(row, problems=problems)
    return replace(row, outcome="changed" if before else "added", camera=camera, changes=changes)


def _match(entry: Entry, seen: Sequence[Camera]) -> list[Camera]:
    """Return the matching cameras: by id, otherwise by group and name, otherwise by name alone."""
    camera_id, name = (str(entry.values.get(field) or "").strip() for field in ("id", "name"))
    if by_id := [camera for camera in seen if camera.id == camera_id]:
        return by_id
    named = [camera for camera in seen if alike(camera.name) == alike(name)]
    group = entry.values.get("group")
    there = [camera for camera in named if group is not None and camera.group == str(group).strip()]
    return there or named


def _added(values: dict[str, Any]) -> Camera:
    missing = [
        (name, "a new camera needs one") for name in ("name", "source") if not values.get(name)
    ]
    if missing:
        raise CameraFieldsError(tuple(missing))
    _refuse_stars(values["source"], "type the whole address")
    return make_camera(**without_empty(values))


def _changed(before: Camera, values: dict[str, Any], may: May) -> Camera:
    values = without_empty(values)
    source = str(values.get("source", ""))
    if before.shows_as(source):
        del values["source"]
    elif source and not may("operator", before.group):
        # Check before comparing, so that a client without the right to change an address cannot
        # guess it either.
        raise CameraFieldsError((("group", _needs("operator", before.group)),))
    else:
        _refuse_stars(source, "type the whole address, or leave it as exported to keep it")
    return changed_camera(before, values)


def _refuse_stars(source: object, advice: str) -> None:
    if HIDDEN in str(source):
        words = f"{HIDDEN} stands for parts of an address that are not in the file; {advice}"
        raise CameraFieldsError((("source", words),))


def _changes(before: Camera, after: Camera) -> Iterator[FieldChange]:
    old, new = (camera.model_dump(mode="json") for camera in (before, after))
    for field in FIELDS:
        if old[field] == new[field]:
            continue
        if field != "source":
            yield FieldChange(field, old[field], new[field])
            continue
        shown = after.redacted_source
        if is_network_address(after.source) and HIDDEN in shown:
            shown = f"{shown} (as the file has it)"
        yield FieldChange(field, before.redacted_source, shown)


def _not_allowed(
    before: Camera | None, after: Camera, may: May, may_read: MayRead
) -> Iterator[Problem]:
    if (before is None or before.source != after.source) and not may_read(after.source):
        yield Problem("source", HOW_TO_HAVE_ONE)
    for group in dict.fromkeys(([before.group] if before else []) + [after.group]):
        if not may("operator", group):
            yield Problem("group", _needs("operator", group))


def _needs(role: Role, group: str) -> str:
    where = f"cameras of {group!r}" if group else "cameras without a group"
    return f"this needs the role {role} for {where}"


def _removal(camera: Camera, may: May) -> Row:
    if not may("administrator", camera.group):
        words = f"it is not in the file, and to remove it {_needs('administrator', camera.group)}"
        return Row("refused", camera.name, None, None, camera, (), (Problem("", words),))
    return Row("removed", camera.name, camera, None, camera)


def _refused(row: Row, problem: Problem) -> Row:
    return replace(row, outcome="refused", camera=None, changes=(), problems=(problem,))


def _different_cameras(rows: Sequence[Row]) -> list[Row]:
    """Refuse a row about the same camera as an earlier row."""
    lines: dict[str, int | None] = {}
    found = []
    for row in rows:
        if row.before and row.before.id in lines:
            words = f"line {lines[row.before.id]} is about the same camera; leave one of them out"
            row = _refused(row, Problem("", words))
        elif row.before:
            lines[row.before.id] = row.line
        found.append(row)
    return found


def _own_spellings(rows: Sequence[Row], everyone: Sequence[Camera]) -> list[Row]:
    """Refuse rows that bring a group which people could not tell from another one."""
    groups, found = {camera.group for camera in everyone}, []
    for row in rows:
        group = row.camera.group if row.camera and row.outcome in {"added", "changed"} else ""
        if row.before is None or row.before.group != group:
            if known := other_spelling(group, groups):
                words = f"{known!r} looks like it; write it so, or choose another name"
                row = _refused(row, Problem("group", words))
            else:
                groups.add(group)
        found.append(row)
    return found


def _different_names(rows: Sequence[Row], everyone: Sequence[Camera]) -> list[Row]:
    """Refuse rows until no two cameras of a group would have the same name.

    A file may exchange names, because only the final names count.
    """
    found = list(rows)
    while clashing := _clashes(found, everyone):
        for number in clashing:
            row = found[number]
            words = f"another camera is called {row.name!r}; give this one another name"
            found[number] = _refused(row, Problem("name", words))
    return found


def _clashes(rows: Sequence[Row], everyone: Sequence[Camera]) -> Collection[int]:
    """Return the indices of rows whose name another camera has in the end."""
    written = {row.camera.id: row.camera for row in rows if row.camera and row.changes}
    gone = {row.camera.id for row in rows if row.camera and row.outcome == "removed"}
    others = [c for c in everyone if not c.owner and c.id not in written and c.id not in gone]
    taken = {unique_name(camera) for camera in others}
    clashing = []
    for number, row in sorted(enumerate(rows), key=lambda item: _is_renamed(item[1])):
        if row.camera is not None and row.outcome in {"added", "changed"}:
            name = unique_name(row.camera)
            if name in taken:
                clashing.append(number)
            taken.add(name)
    return clashing


def _is_renamed(row: Row) -> bool:
    """Sort these rows after those that keep their names, so that these are refused."""
    return (
        row.camera is None
        or row.before is None
        or unique_name(row.camera) != unique_name(row.before)
    )
