"""The API to export and import many cameras as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from flask import Blueprint, Response, request
from werkzeug.http import quote_etag

from contract.cameras.camera import Camera
from contract.errors import CameraChangedError, QueryError
from dashboard.accounts.access import (
    audit,
    audit_is_done,
    identity,
    may_change,
    requires,
    visible_cameras,
)
from dashboard.cameras.file.entries import MOST_BYTES, Entry
from dashboard.cameras.file.forms import MEDIA, Form, form_of, read_cameras, write_cameras
from dashboard.cameras.file.plan import Plan, Row, carry_out, make_plan
from dashboard.cameras.queries import CameraExportQuery, CameraImportQuery
from dashboard.cameras.setup_answers import ImportAnswer, ImportedCamera, ImportRefusal
from dashboard.cameras.sources import may_read
from dashboard.live.board import read_snapshots
from dashboard.services import services
from dashboard.web.answering import Answer, answers
from dashboard.web.conditional import tagged, wanted_versions
from dashboard.web.errors import Refused
from dashboard.web.upload_requests import takes_files

BOTH: Final = ", ".join(MEDIA.values())
AUDITED: Final = {
    "added": "registered a camera",
    "changed": "changed a camera",
    "removed": "removed a camera",
}

blueprint = Blueprint("camera_file_api", __name__, url_prefix="/api/v1/cameras")


@blueprint.get("/export")
@requires("viewer")
@answers(
    media=BOTH,
    also={
        304: "Unchanged since the answer that `If-None-Match` names.",
        406: "`Accept` allows neither YAML nor CSV.",
    },
)
def export(query: CameraExportQuery) -> Response:
    """Return all cameras that you may see, as YAML or CSV, without passwords.

    `***` stands for the hidden part of an address. If you import it unchanged, the saved address
    stays. For cameras that you may see but not change, the address is only scheme and host.
    """
    form = query.format or _accepted()
    if form is None:
        raise Refused(406, "not_acceptable", f"expected Accept to have one of {BOTH}")
    cameras = [
        c for c in visible_cameras(services().cameras.all()) if query.group in (None, c.group)
    ]
    headers = {"Content-Disposition": f'attachment; filename="cameras.{form}"'}
    text = write_cameras(form, cameras, may_change)
    return tagged(Response(text, content_type=f"{MEDIA[form]}; charset=utf-8", headers=headers))


def _accepted() -> Form | None:
    wanted = request.accept_mimetypes
    return form_of(wanted.best_match(MEDIA.values()) or "") if wanted else "yaml"


@blueprint.post("/import")
@requires("operator", action="imported cameras")
@takes_files(MOST_BYTES, 1)
@answers(
    raw=BOTH,
    version=True,
    also={
        409: "Somebody else changed the cameras in the meantime; nothing changed.",
        422: ImportRefusal,
    },
)
def import_(query: CameraImportQuery) -> Answer[ImportAnswer]:
    """Add and change the cameras of a file, all or none. `dry_run=1` only shows the changes.

    The import matches a camera by `id`, otherwise by `name`. Fields that the file lacks keep their
    values. If a camera is refused, the answer is 422 with the same rows, and nothing changes;
    `partial=1` applies the other rows. `remove_missing=1` removes cameras that the file lacks.
    """
    if query.partial and query.remove_missing:
        raise QueryError(
            "partial and remove_missing together would remove cameras whose row was refused; "
            "send one of them"
        )
    entries = read_cameras(_sent_form(query), request.get_data())
    registry = services().cameras
    revision = registry.revision()
    _require_unchanged(revision)
    plan = _planned(entries, query.remove_missing)
    if query.dry_run:
        audit_is_done()
        return _answer(plan, revision, False, _people_lost(plan))
    if plan.of("refused") and not query.partial:
        return _refusal(plan, revision)
    lost = _people_lost(plan)
    carry_out(plan, registry, revision)
    _note(plan)
    return _answer(plan, registry.revision(), True, lost)


def _sent_form(query: CameraImportQuery) -> Form:
    form = query.format or form_of(request.mimetype)
    if form is None:
        words = f"expected Content-Type to be one of {BOTH}, or format=yaml or format=csv"
        raise Refused(415, "unsupported_media_type", words)
    return form


def _require_unchanged(revision: int) -> None:
    wanted = wanted_versions()
    if wanted is not None and str(revision) not in wanted:
        raise CameraChangedError(
            "somebody else changed the cameras since the dry run, so nothing was changed here; "
            "look at what would change now"
        )


def _planned(entries: Sequence[Entry], remove_missing: bool) -> Plan:
    """Return what the entries of a file would change, as far as the client may change it."""
    grants, settings = identity().grants, services().settings
    return make_plan(
        entries,
        services().cameras.all(),
        grants.allow,
        lambda source: may_read(source, grants, settings),
        remove_missing,
    )


def _note(plan: Plan) -> None:
    if not plan.of("added", "changed", "removed"):
        audit_is_done()
        return
    audit("imported cameras", plan.words())
    for row in plan.of("added", "changed", "removed"):
        fields = ", ".join(change.field for change in row.changes)
        audit(AUDITED[row.outcome], f"{row.name}: {fields}" if fields else row.name)


def _refusal(plan: Plan, revision: int) -> Answer[ImportAnswer]:
    refused = plan.of("refused")
    first = refused[0]
    where = f"line {first.line}" if first.line else first.name
    words = "; ".join(": ".join(filter(None, (p.field, p.detail))) for p in first.problems)
    detail = (
        f"{len(refused)} of {len(plan.rows)} cameras cannot be taken, so nothing was changed; "
        f"{where}: {words}"
    )
    found = dict(_answer(plan, revision, False, _people_lost(plan)).body)
    return Answer(ImportRefusal(error="invalid_cameras", detail=detail, **found), 422)


def _people_lost(plan: Plan) -> dict[str, int]:
    """Return the people counted at the cameras to be removed. Call before removing them."""
    going = [row.before for row in plan.of("removed") if row.before]
    found = read_snapshots(services().snapshots, going, services().clock) if going else []
    return {one.camera.id: sum(one.people.values()) for one in found}


def _answer(
    plan: Plan, revision: int, applied: bool, lost: Mapping[str, int]
) -> Answer[ImportAnswer]:
    cameras = [_row(row, lost) for row in plan.rows]
    counts = {str(outcome): count for outcome, count in plan.counts().items()}
    version = str(revision)
    body = ImportAnswer(revision=version, applied=applied, counts=counts, cameras=cameras)
    return Answer(body, headers={"ETag": quote_etag(version)})


def _row(row: Row, lost: Mapping[str, int]) -> ImportedCamera:
    known: Camera | None = row.before or (row.camera if row.outcome != "added" else None)
    people = lost.get(known.id) if known else None
    more = {"id": known.id if known else None, "people": people}
    return ImportedCamera.model_validate({**vars(row), **more})
