"""Cameras as CSV, as spreadsheets write and read it.

They save with semicolons or tabs, in UTF-8 or UTF-16, with a byte order mark, with decimal commas;
all of that is read. A cell that a spreadsheet would take for a formula is written behind an
apostrophe, which reading takes away again (OWASP, "CSV Injection").
"""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from contract.cameras.camera import Camera
from contract.errors import CameraFileError
from contract.plain_text import FORMULA, guarded
from contract.redaction import redact_text
from dashboard.cameras.file.entries import (
    FIELDS,
    MOST_ENTRIES,
    NUMBERS,
    SHAPES,
    SWITCHES,
    TEXTS,
    Entry,
    MayChange,
    Problem,
    anybody,
    record_of,
    repeatable,
)

DELIMITERS: Final = (",", ";", "\t")
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def write_csv(cameras: Iterable[Camera], may_change: MayChange = anybody) -> str:
    """One row a camera, without any secret; lines, zones and ignored areas are JSON.

    Begins with a byte order mark, without which Excel takes it for another encoding.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(FIELDS)
    for camera in cameras:
        record = record_of(camera, may_change(camera))
        writer.writerow([_cell(name, record[name]) for name in FIELDS])
    return "\ufeff" + text.getvalue()


def _cell(name: str, value: Any) -> str:
    if name in SHAPES:
        return json.dumps(value, ensure_ascii=False)
    if name in SWITCHES:
        # Not true and false, which spreadsheets translate.
        return "yes" if value else "no"
    if name in NUMBERS:
        return repr(value)
    return guarded("" if value is None else str(value))


def decode_csv(data: bytes) -> str:
    """Return the text of a file from a spreadsheet; raises `CameraFileError`."""
    try:
        return data.decode("utf-16" if data.startswith(_UTF_16) else "utf-8-sig")
    except UnicodeDecodeError:
        raise CameraFileError(
            "the file is neither UTF-8 nor UTF-16; in a spreadsheet, save it as "
            "`CSV UTF-8 (delimited)`"
        ) from None


def read_csv(text: str) -> list[Entry]:
    """Return the cameras of a file with field names in its first row.

    Raises:
        CameraFileError: the file has no such row, or is not CSV.
    """
    first, _, rest = text.partition("\n")
    above = int(first.strip().lower().startswith("sep="))  # Excel's own first line
    if above:
        first, text = rest.partition("\n")[0], rest
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(first), strict=True)
    try:
        names = _names(next(rows, []))
        entries, line = [], above + rows.line_num + 1
        for row in rows:
            if any(cell.strip() for cell in row):
                entries.append(_entry(line, names, row))
            line = above + rows.line_num + 1
            if len(entries) > MOST_ENTRIES:
                raise CameraFileError(f"more than {MOST_ENTRIES} cameras in one file")
    except csv.Error as error:
        words = redact_text(str(error))
        raise CameraFileError(f"line {above + rows.line_num}: this is not CSV: {words}") from None
    return entries


def _delimiter(first: str) -> str:
    def known(delimiter: str) -> int:
        cells = (cell.strip(' "\r').lower() for cell in first.split(delimiter))
        return sum(cell in FIELDS for cell in cells)

    return max(DELIMITERS, key=known)


def _names(cells: Sequence[str]) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    while names and not names[-1]:
        names.pop()
    expected = f"expected a first row with some of {', '.join(FIELDS)}"
    if not {"id", "name"} & set(names):
        raise CameraFileError(f"line 1: neither `id` nor `name` is a column; {expected}")
    if any("://" in name for name in names):
        raise CameraFileError(f"line 1: an address where names of columns belong; {expected}")
    if unknown := [name for name in names if name not in FIELDS]:
        raise CameraFileError(f"line 1: unknown column {repeatable(unknown[0])!r}; {expected}")
    if twice := [name for name in FIELDS if names.count(name) > 1]:
        raise CameraFileError(f"line 1: the column {twice[0]!r} is there twice")
    return names


def _entry(line: int, names: Sequence[str], row: Sequence[str]) -> Entry:
    values: dict[str, Any] = {}
    problems = []
    if any(cell.strip() for cell in row[len(names) :]):
        words = f"{len(row)} cells, expected {len(names)}; put a cell with a comma between quotes"
        problems.append(Problem("", words))
    for name, cell in zip(names, row, strict=False):
        try:
            values[name] = _value(name, cell)
        except (ValueError, RecursionError):
            problems.append(Problem(name, "expected JSON, as an exported file has it"))
    return Entry(line, values, tuple(problems))


def _value(name: str, cell: str) -> Any:
    """Return a cell's value; None for an empty cell, which stands for the default."""
    if name in SHAPES:
        return json.loads(cell) if cell.strip() else None
    if cell.startswith("'") and cell[1:].startswith(FORMULA):
        cell = cell[1:]
    if name in NUMBERS and cell.count(",") == 1 and "." not in cell:
        cell = cell.replace(",", ".")
    if name in TEXTS:
        return cell if cell.strip() else None
    return cell.strip() or None
