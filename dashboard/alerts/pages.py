"""The pages about alerts: open and resolved alerts, rules, and delivery attempts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound

from bus.errors import StoreError
from contract.alerts.alerts import AlertRecord
from contract.alerts.rules import KIND_WORDS, AlertRule
from contract.alerts.schedule import DAYS, zone_names
from contract.errors import AlertError
from dashboard.accounts.access import requires
from dashboard.accounts.forms import PlainForm
from dashboard.accounts.scopes import operated_scopes
from dashboard.alerts.alert_api import acknowledge, visible_attempts, withdraw
from dashboard.alerts.rights import (
    cameras_by_id,
    find_open_alert,
    find_rule,
    may_acknowledge,
    may_change,
    require_rule,
    visible_alerts,
    visible_rules,
)
from dashboard.alerts.rule_api import change_rule, keep_new_rule, remove_rule
from dashboard.alerts.rule_form import FORMS, RuleForm, offer, scope_of
from dashboard.losses import amount, ask_first, named
from dashboard.services import services
from dashboard.web.requests import entries_before

CLOSED_SHOWN: Final = 50
LOG_PAGE: Final = 100
EVENT_WORDS: Final = {"opened": "Opened", "closed": "Resolved", "test": "Test", "report": "Report"}
OUTCOME_WORDS: Final = {
    "delivered": "Delivered",
    "failed": "Failed; will be retried",
    "given_up": "Given up",
}

blueprint = Blueprint("alert_pages", __name__, url_prefix="/alerts")


@blueprint.app_context_processor
def _words() -> dict[str, object]:
    return {
        "kind_words": KIND_WORDS,
        "event_words": EVENT_WORDS,
        "outcome_words": OUTCOME_WORDS,
        "unacknowledged_alerts": _unacknowledged,
    }


def _unacknowledged() -> int:
    """Return how many open alerts nobody has acknowledged; 0 while Redis does not tell."""
    try:
        found = visible_alerts(services().alerts.open())
        return sum(alert.acknowledged is None for alert in found)
    except StoreError:
        return 0


@blueprint.get("")
@requires("viewer")
def alerts() -> str:
    """Show open and resolved alerts."""
    store = services().alerts
    open_now = visible_alerts(store.open())
    part, cameras = request.args.get("part") == "open", cameras_by_id()
    return render_template(
        "alerts_open.html" if part else "alerts.html",
        alerts=open_now,
        cameras=cameras,
        may_acknowledge={alert.id for alert in open_now if may_acknowledge(alert, cameras)},
        button=PlainForm(formdata=None),
        lives=store.evaluator_lives(),
        rules=services().rules.all(),
        closed=[] if part else visible_alerts(store.closed(CLOSED_SHOWN)),
    )


@blueprint.post("/<alert_id>/acknowledge")
@requires("operator")
def acknowledge_one(alert_id: str) -> Any:
    """Acknowledge an open alert."""
    return _changed(alert_id, acknowledge)


@blueprint.post("/<alert_id>/withdraw")
@requires("operator")
def withdraw_one(alert_id: str) -> Any:
    """Take an acknowledgement back."""
    return _changed(alert_id, withdraw)


def _changed(alert_id: str, change: Callable[[AlertRecord], object]) -> Any:
    try:
        change(find_open_alert(alert_id))
    except NotFound:
        flash("That alert has been resolved.")
    return redirect(url_for("alert_pages.alerts"))


@blueprint.get("/log")
@requires("viewer")
def log() -> str:
    """Show the attempts to deliver messages, and their outcomes."""
    rows = services().deliveries.log(LOG_PAGE, entries_before(request.args.get("before")))
    more = rows[-1][0] if len(rows) == LOG_PAGE else None
    return render_template("alert_log.html", entries=visible_attempts(rows), more=more)


@blueprint.get("/rules")
@requires("viewer")
def rules() -> str:
    """Show the rules."""
    found = [
        {"rule": rule, "about": _about(rule), "may_change": may_change(rule)}
        for rule in visible_rules()
    ]
    return render_template(
        "alert_rules.html",
        rules=found,
        channels=services().channels.names(),
        button=PlainForm(formdata=None),
    )


@blueprint.get("/rules/new")
@requires("operator")
def new_rule() -> str:
    """The page for a new rule."""
    form = _form(_asked_kind())
    form.days.data, form.tz.data = list(DAYS), _usual_zone()
    form.channels.data = [value for value, _ in _channel_choices()]
    return _rule_page(form, None)


@blueprint.post("/rules/new")
@requires("operator")
def add_rule() -> Any:
    """Create a rule."""
    form = _form(_asked_kind())
    if not form.validate():
        return _rule_page(form, None), 422
    try:
        rule = keep_new_rule(form.fields())
    except AlertError as error:
        return _rule_page(form, None, str(error)), 422
    flash(f"{rule.name} is active from now on." if rule.enabled else f"{rule.name} is saved.")
    return redirect(url_for("alert_pages.rules"))


@blueprint.get("/rules/<rule_id>")
@requires("operator")
def rule(rule_id: str) -> str:
    """The page of one rule."""
    found = find_rule(rule_id)
    require_rule(found)
    form = _form(found.when.kind, found)
    form.days.data, form.tz.data = list(DAYS), _usual_zone()
    form.show(found)
    return _rule_page(form, found)


@blueprint.post("/rules/<rule_id>")
@requires("operator")
def save_rule(rule_id: str) -> Any:
    """Change a rule."""
    found = find_rule(rule_id)
    form = _form(found.when.kind, found)
    if not form.validate():
        return _rule_page(form, found), 422
    given = form.fields()
    changes = {name: value for name, value in given.items() if _differs(found, name, value)}
    try:
        changed = change_rule(found, changes)
    except AlertError as error:
        return _rule_page(form, found, str(error)), 422
    flash(f"{changed.name} is saved.")
    return redirect(url_for("alert_pages.rules"))


@blueprint.post("/rules/<rule_id>/remove")
@requires("operator")
def remove(rule_id: str) -> Any:
    """Remove a rule after the page has named the losses."""
    found = find_rule(rule_id)
    require_rule(found)
    title, back = f"Remove the rule {found.name}?", url_for("alert_pages.rules")
    if page := ask_first(title, _lost_with(found), "Remove rule", back):
        return page
    remove_rule(found)
    flash(f"{found.name} is removed. Its open alerts close within seconds.")
    return redirect(url_for("alert_pages.rules"))


def _lost_with(rule: AlertRule) -> list[str]:
    opened = [alert.camera for alert in services().alerts.open() if alert.rule_id == rule.id]
    lost = [f"The rule itself: {KIND_WORDS[rule.when.kind]}, {_about(rule)}: {rule.when.words()}."]
    if opened:
        lost.append(f"{amount(len(opened), 'open alert')}, closed at once: {named(opened)}.")
    if rule.channels:
        lost.append(f"Its messages to {amount(len(rule.channels), 'channel')}.")
    return lost


def _differs(rule: AlertRule, name: str, value: object) -> bool:
    if name in {"when", "schedule"}:
        return True  # checked and compared as a whole by the rule itself
    return bool(getattr(rule, name) != value)


def _form(kind: str, rule: AlertRule | None = None) -> RuleForm:
    form = FORMS[kind]()
    scopes = operated_scopes()
    if rule is not None and scope_of(rule) not in dict(scopes):
        scopes.append((scope_of(rule), _about(rule)))
    offer(form, scopes, _channel_choices())
    return form


def _asked_kind() -> str:
    kind = request.args.get("kind", "rate")
    if kind not in FORMS:
        raise NotFound("there is no such kind of rule")
    return kind


def _channel_choices() -> list[tuple[str, str]]:
    named = services().channels.names()
    return sorted(named.items(), key=lambda item: item[1].lower())


def _about(rule: AlertRule) -> str:
    if rule.camera_id:
        camera = cameras_by_id().get(rule.camera_id)
        return f"Camera {camera.name}" if camera else "A camera that was removed"
    return f"Group {rule.group}" if rule.group else "All cameras"


def _usual_zone() -> str:
    """Return the time zone of the newest rule with active hours."""
    timed = [rule for rule in services().rules.all() if rule.schedule]
    newest = max(timed, key=lambda rule: rule.created_at_s, default=None)
    return newest.schedule.tz if newest and newest.schedule else "UTC"


def _rule_page(form: RuleForm, rule: AlertRule | None, message: str = "") -> str:
    return render_template(
        "alert_rule.html",
        form=form,
        rule=rule,
        kind=rule.when.kind if rule else _asked_kind(),
        kinds=KIND_WORDS,
        zones=sorted(zone_names()),
        message=message,
    )
