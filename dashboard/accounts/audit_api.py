"""The audit log for programs, such as an archive that keeps it for longer."""

from __future__ import annotations

from datetime import UTC

from flask import Blueprint

from bus.stores.accounts.audit import Wanted
from contract.errors import QueryError
from dashboard.accounts.access import requires
from dashboard.accounts.answers import AuditAnswer, AuditEntryAnswer, AuditQuery
from dashboard.services import services
from dashboard.web.answering import answers
from dashboard.web.requests import entries_before
from dashboard.web.time_range import parse_time

blueprint = Blueprint("audit_api", __name__, url_prefix="/api/v1/audit")


@blueprint.get("")
@requires("administrator", everywhere=True)
@answers()
def audit_log(query: AuditQuery) -> AuditAnswer:
    """Return the audit log, newest first: every change and every viewing of a camera."""
    wanted = Wanted(query.actor, query.action, _time("from", query.from_), _time("to", query.to))
    if wanted.from_s is not None and wanted.to_s is not None and wanted.from_s >= wanted.to_s:
        raise QueryError("from, to: expected from before to")
    found = services().accounts.audit.newest(query.limit, entries_before(query.before), wanted)
    before = found[-1].id if len(found) == query.limit else None
    entries = [AuditEntryAnswer.model_validate(entry) for entry in found]
    return AuditAnswer(entries=entries, before=before)


def _time(name: str, text: str | None) -> float | None:
    return None if text is None else parse_time(name, text, UTC)
