"""Reads the ids of events, from which clients continue."""

from __future__ import annotations

import re
from typing import Final

from bus.stores.people import RowId
from contract.errors import QueryError

_ROW_ID: Final = re.compile(r"(\d{1,19})-(\d{1,19})-([a-z0-9]{1,32})")


def parse_row_id(text: str) -> RowId:
    """Read an event's id; raise `QueryError` for anything else."""
    found = _ROW_ID.fullmatch(text.strip())
    if found is None:
        raise QueryError(
            f"Last-Event-ID: expected the id of an event as it came; found {text[:60]!r}"
        )
    return RowId(int(found[1]), int(found[2]), found[3])
