"""The audit log for programs, such as those that keep it for longer than it is kept here."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC
from typing import Any

from flask import Blueprint, Response

from bus.stores.accounts.audit import AuditEntry, Wanted
from contract.errors import QueryError
from dashboard.accounts.access import requires
from dashboard.accounts.answers import AuditAnswer, AuditQuery
from dashboard.services import services
from dashboard.web.conditional import conditional
from dashboard.web.describing import describes
from dashboard.web.requests import entries_before, query
from dashboard.web.time_range import parse_time

blueprint = Blueprint("audit_api", __name__, url_prefix="/api/v1/audit")


@blueprint.get("")
@requires("administrator", everywhere=True)
@describes(AuditAnswer, query=AuditQuery)
def audit_log() -> Response:
    """Who changed or watched what, the newest first; for administrators of all cameras."""
    asked = query(AuditQuery)
    wanted = Wanted(asked.actor, asked.action, _time("from", asked.from_), _time("to", asked.to))
    if wanted.from_s is not None and wanted.to_s is not None and wanted.from_s >= wanted.to_s:
        raise QueryError("from, to: expected from before to")
    found = services().accounts.audit.newest(asked.limit, entries_before(asked.before), wanted)
    more = found[-1].id if len(found) == asked.limit else None
    return conditional({"entries": [_as_json(entry) for entry in found], "before": more})


def _time(name: str, text: str | None) -> float | None:
    return None if text is None else parse_time(name, text, UTC)


def _as_json(entry: AuditEntry) -> dict[str, Any]:
    record = asdict(entry)
    return {
        "id": record.pop("id"),
        "at_s": record.pop("at_s"),
        "actor": record.pop("who"),
        **record,
    }
