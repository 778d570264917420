"""Alerts and the messages about them, as JSON."""

from __future__ import annotations

import time
from collections.abc import Mapping

from flask import Blueprint
from werkzeug.exceptions import Forbidden, NotFound

from contract.alerts.alerts import Acknowledgement, AlertRecord
from contract.alerts.attempts import Attempt
from contract.cameras.camera import Camera
from dashboard.accounts.access import audit, identity, requires
from dashboard.alerts.answers import (
    AlertsAnswer,
    AlertsQuery,
    AttemptAnswer,
    DeliveriesAnswer,
    DeliveriesQuery,
)
from dashboard.alerts.rights import (
    cameras_by_id,
    find_open_alert,
    may_acknowledge,
    may_see_camera,
    visible_alerts,
)
from dashboard.services import services
from dashboard.web.answering import answers
from dashboard.web.requests import entries_before

PASSING = ("evaluated_at_s",)

blueprint = Blueprint("alert_api", __name__, url_prefix="/api/v1/alerts")


@blueprint.get("")
@requires("viewer")
@answers(passing=PASSING)
def alerts(query: AlertsQuery) -> AlertsAnswer:
    """Return open or resolved alerts of the cameras that you may see, newest first."""
    store = services().alerts
    found = store.open() if query.state == "open" else store.closed(query.limit)
    return AlertsAnswer(
        alerts=list(visible_alerts(found)),
        evaluated_at_s=store.evaluated_at_s(),
        evaluated=store.evaluator_lives(),
    )


@blueprint.put("/<alert_id>/acknowledgement")
@requires("operator")
@answers()
def put_acknowledgement(alert_id: str) -> Acknowledgement:
    """Say that you have seen an open alert and deal with it; replaces another's."""
    return acknowledge(find_open_alert(alert_id))


@blueprint.delete("/<alert_id>/acknowledgement")
@requires("operator")
@answers()
def delete_acknowledgement(alert_id: str) -> None:
    """Take an acknowledgement back."""
    withdraw(find_open_alert(alert_id))


@blueprint.get("/deliveries")
@requires("viewer")
@answers()
def deliveries(query: DeliveriesQuery) -> DeliveriesAnswer:
    """Return attempts to deliver messages about cameras that you may see, with their outcomes."""
    rows = services().deliveries.log(query.limit, entries_before(query.before))
    seen = [AttemptAnswer(id=row, **dict(one)) for row, one in visible_attempts(rows)]
    before = rows[-1][0] if len(rows) == query.limit else None
    return DeliveriesAnswer(deliveries=seen, before=before)


def visible_attempts(rows: list[tuple[str, Attempt]]) -> list[tuple[str, Attempt]]:
    """Return the attempts that the client may see; only administrators of all see test messages."""
    cameras = cameras_by_id()
    return [(row, one) for row, one in rows if _may_see_attempt(one, cameras)]


def _may_see_attempt(attempt: Attempt, cameras: Mapping[str, Camera]) -> bool:
    grants = identity().grants
    if attempt.camera_id:
        return may_see_camera(attempt.camera_id, attempt.group, cameras)
    if attempt.event == "report":
        scope = attempt.group
        return grants.allow("viewer", scope) if scope else grants.allow_everywhere("viewer")
    return grants.allow_everywhere("administrator")


def acknowledge(alert: AlertRecord) -> Acknowledgement:
    """Acknowledge an open alert for the client; raise 403, or 404 once it is resolved."""
    made = Acknowledgement(by=identity().label, at_s=time.time())
    _store(alert, made)
    audit("acknowledged an alert", f"{alert.rule} at {alert.camera}")
    return made


def withdraw(alert: AlertRecord) -> None:
    """Take an acknowledgement back; raise as `acknowledge` does."""
    _store(alert, None)
    audit("withdrew an acknowledgement", f"{alert.rule} at {alert.camera}")


def _store(alert: AlertRecord, made: Acknowledgement | None) -> None:
    if not may_acknowledge(alert, cameras_by_id()):
        raise Forbidden("this alert is about a camera that you may not operate")
    if not services().alerts.acknowledge(alert.id, made):
        raise NotFound("this alert was resolved a moment ago")
