"""The pages about audits: all of them, one with its result, and where people are judged."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from werkzeug.exceptions import Forbidden
from wtforms import FloatField, IntegerField, SelectField
from wtforms.validators import InputRequired, NumberRange

from contract.errors import QueryError
from contract.people.audits import (
    ANSWER_WORDS,
    LEAST_JUDGED,
    LEAST_PEOPLE,
    LONGEST_HOURS,
    MOST_PEOPLE,
    Answer,
    AuditFindings,
)
from contract.people.compliance import mask_rate, wilson
from contract.people.corrected_rate import Counted, corrected_rate
from contract.people.verdicts import VERDICTS
from dashboard.accounts.access import requires
from dashboard.accounts.forms import PlainForm
from dashboard.accounts.scopes import ALL, operated_scopes
from dashboard.audits import audits as work
from dashboard.audits.advice import TOLD, advice_on
from dashboard.audits.answers import NewAudit
from dashboard.losses import amount, ask_first
from dashboard.services import services

KEYS: Final[dict[Answer, str]] = {
    "mask": "1",
    "incorrect": "2",
    "no_mask": "3",
    "cannot_tell": "4",
    "not_a_person": "5",
}

blueprint = Blueprint("audit_pages", __name__, url_prefix="/audits")


class AuditForm(FlaskForm):  # type: ignore[misc]
    """What to audit."""

    scope = SelectField("Cameras")
    people = IntegerField(
        "People to judge",
        [InputRequired("Enter a number."), NumberRange(LEAST_PEOPLE, MOST_PEOPLE)],
        default=60,
        description="A judge needs some three seconds for each.",
    )
    hours = FloatField(
        "Draw them within, hours",
        [InputRequired("Enter a number of hours."), NumberRange(0.1, LONGEST_HOURS)],
        default=4,
        description="Drawing ends earlier once there are enough.",
    )


@blueprint.get("")
@requires("operator")
def audits() -> str:
    """Show all audits, and the form for a new one."""
    return _page(_form())


@blueprint.post("")
@requires("operator")
def start() -> Any:
    """Start an audit."""
    form = _form()
    if not form.validate():
        return _page(form), 422
    kind, _, name = str(form.scope.data).partition(":")
    whose = {"camera_id": name} if kind == "camera" else {"group": name}
    try:
        made = work.start(NewAudit(**whose, people=form.people.data, hours=form.hours.data))
    except (QueryError, Forbidden) as error:
        return _page(form, str(getattr(error, "description", None) or error)), 422
    flash("People are drawn from now on. You can judge the first as soon as they have passed.")
    return redirect(url_for("audit_pages.audit", audit_id=made.id))


@blueprint.get("/<audit_id>")
@requires("operator")
def audit(audit_id: str) -> str:
    """Show what an audit found."""
    found = services().audits.findings(work.find_audit(audit_id))
    return render_template(
        "audit_found.html",
        found=found,
        running=work.is_running(found.audit),
        waiting=len(work.waiting(found)),
        table=found.table(),
        right=_right(found),
        agreement=found.agreement(),
        lost=sum(not person.pictures for person in found.drawn),
        advice=advice_on(found),
        cameras=_rates(found),
        answer_words=ANSWER_WORDS,
        least=LEAST_JUDGED,
        button=PlainForm(formdata=None),
    )


@blueprint.get("/<audit_id>/judge")
@requires("operator")
def judge(audit_id: str) -> str:
    """The page on which people are judged, one after the other."""
    return render_template(
        "audit_judge.html", audit=work.find_audit(audit_id), answers=ANSWER_WORDS, keys=KEYS
    )


@blueprint.post("/<audit_id>/stop")
@requires("operator")
def stop(audit_id: str) -> Any:
    """Draw nobody any more."""
    work.stop(work.find_audit(audit_id))
    flash("Nobody is drawn any more. Who was drawn can still be judged.")
    return redirect(url_for("audit_pages.audit", audit_id=audit_id))


@blueprint.post("/<audit_id>/remove")
@requires("operator")
def remove(audit_id: str) -> Any:
    """Remove an audit after the page has named the losses."""
    one = work.find_audit(audit_id)
    found = services().audits.findings(one)
    lost = [f"{amount(len(found.judgements), 'answer')} of judges, and all pictures that wait."]
    if any(found.counts(camera_id) for camera_id in one.camera_ids):
        lost.append("What it tells of errors: corrected rates follow an older audit, or films.")
    back = url_for("audit_pages.audit", audit_id=audit_id)
    if page := ask_first(f"Remove the audit of {one.name}?", lost, "Remove audit", back):
        return page
    work.remove(one)
    flash(f"The audit of {one.name} is removed.")
    return redirect(url_for("audit_pages.audits"))


def _page(form: AuditForm, message: str = "") -> str:
    store = services().audits
    running = {audit.id for audit in store.running(services().clock())}
    found = [store.findings(audit) for audit in work.visible_audits()]
    return render_template(
        "audits.html",
        found=found,
        running=running,
        waiting={one.audit.id: len(work.waiting(one)) for one in found},
        form=form,
        message=message,
    )


def _form() -> AuditForm:
    form = AuditForm()
    form.scope.choices = [scope for scope in operated_scopes() if scope[0] != ALL]
    return form


def _right(found: AuditFindings) -> dict[str, tuple[float, float, float] | None]:
    """Return of each verdict the share that eyes confirm, with its 95 % interval.

    Of people whom eyes can tell; None where there is nobody.
    """
    table = found.table()
    shares: dict[str, tuple[float, float, float] | None] = {}
    for verdict in TOLD:
        hits, total = table[verdict][verdict], sum(table[answer][verdict] for answer in TOLD)
        shares[verdict] = (hits / total, *wilson(hits, total)) if total else None
    return shares


def _rates(found: AuditFindings) -> list[dict[str, Any]]:
    """Return of each camera the rates of those counted during the audit, both ways."""
    names = {camera.id: camera.name for camera in services().roster.cameras()}
    rows = []
    for camera_id in found.audit.camera_ids:
        people = found.counted.get(camera_id, {})
        audit = found.counts(camera_id)
        rows.append(
            {
                "name": names.get(camera_id, "A camera that was removed"),
                "people": sum(people.get(verdict, 0) for verdict in VERDICTS),
                "judged": sum(sum(row.values()) for row in found.table([camera_id]).values()),
                "observed": mask_rate(people),
                "corrected": corrected_rate([Counted(people, audit)]),
            }
        )
    return rows
