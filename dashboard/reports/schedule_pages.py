"""The pages on which operators schedule reports."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from wtforms import SelectChoice

from contract.alerts.channels import EmailChannel
from contract.alerts.report_schedules import ReportSchedule
from contract.alerts.schedule import zone_names
from contract.errors import AlertError
from dashboard.accounts.access import requires
from dashboard.accounts.forms import PlainForm
from dashboard.accounts.scopes import group_scope, operated_scopes
from dashboard.losses import ask_first
from dashboard.reports.schedule_api import (
    change_schedule,
    find_schedule,
    keep_new_schedule,
    may_change,
    next_due,
    remove_schedule,
    require_schedule,
    send_now,
    visible_schedules,
)
from dashboard.reports.schedule_form import ScheduleForm
from dashboard.services import services

blueprint = Blueprint("schedule_pages", __name__, url_prefix="/reports/schedules")


@blueprint.get("")
@requires("viewer")
def schedules() -> str:
    """Show which reports are sent, when, to whom, and how it went last time."""
    tried = services().schedules.tried()
    rows = [
        {
            "schedule": one,
            "due_s": next_due(one),
            "last": tried.get(one.id),
            "may_change": may_change(one),
        }
        for one in visible_schedules()
    ]
    return render_template(
        "schedules.html",
        rows=rows,
        channels=services().channels.names(),
        lives=services().alerts.evaluator_lives(),
        button=PlainForm(formdata=None),
    )


@blueprint.get("/new")
@requires("operator")
def new() -> str:
    """The page for a new schedule."""
    return _page(_form(), None)


@blueprint.post("/new")
@requires("operator")
def add() -> Any:
    """Create a schedule."""
    form = _form()
    if not form.validate():
        return _page(form, None), 422
    try:
        made = keep_new_schedule(form.fields())
    except AlertError as error:
        return _page(form, None, str(error)), 422
    flash(f"{made.name} is scheduled: {made.sent_words()}.", "good")
    return redirect(url_for("schedule_pages.schedules"))


@blueprint.get("/<schedule_id>")
@requires("operator")
def schedule(schedule_id: str) -> str:
    """The page of one schedule."""
    found = find_schedule(schedule_id)
    require_schedule(found)
    form = _form(found)
    form.show(found)
    return _page(form, found)


@blueprint.post("/<schedule_id>")
@requires("operator")
def save(schedule_id: str) -> Any:
    """Change a schedule."""
    found = find_schedule(schedule_id)
    require_schedule(found)
    form = _form(found)
    if not form.validate():
        return _page(form, found), 422
    given = form.fields()
    changes = {name: value for name, value in given.items() if getattr(found, name) != value}
    try:
        changed = change_schedule(found, changes)
    except AlertError as error:
        return _page(form, found, str(error)), 422
    flash(f"{changed.name} is saved.", "good")
    return redirect(url_for("schedule_pages.schedules"))


@blueprint.post("/<schedule_id>/send")
@requires("operator")
def send(schedule_id: str) -> Any:
    """Send the last whole week or month now."""
    found = find_schedule(schedule_id)
    result = send_now(found)
    flash(f"{found.name}: {result.words}", "good" if result.outcome == "delivered" else "bad")
    return redirect(url_for("schedule_pages.schedules"))


@blueprint.post("/<schedule_id>/remove")
@requires("operator")
def remove(schedule_id: str) -> Any:
    """Remove a schedule after the page has named the losses."""
    found = find_schedule(schedule_id)
    require_schedule(found)
    lost = [f"The schedule itself: {found.sent_words()}, to {', '.join(found.to)}."]
    title, back = f"Remove the report {found.name}?", url_for("schedule_pages.schedules")
    if page := ask_first(title, lost, "Remove report", back):
        return page
    remove_schedule(found)
    flash(f"{found.name} is removed.", "good")
    return redirect(url_for("schedule_pages.schedules"))


def _form(schedule: ReportSchedule | None = None) -> ScheduleForm:
    form = ScheduleForm()
    scopes = [scope for scope in operated_scopes() if not scope[0].startswith("camera:")]
    if schedule is not None and group_scope(schedule.group) not in dict(scopes):
        scopes.append((group_scope(schedule.group), f"Group {schedule.group}"))
    form.scope.choices = [SelectChoice(value, words) for value, words in scopes]
    form.channel_id.choices = [
        SelectChoice(one.id, f"{one.name} ({one.sender})")
        for one in services().channels.all()
        if isinstance(one, EmailChannel)
    ]
    return form


def _page(form: ScheduleForm, schedule: ReportSchedule | None, message: str = "") -> str:
    return render_template(
        "schedule.html",
        form=form,
        schedule=schedule,
        zones=sorted(zone_names()),
        message=message,
    )
