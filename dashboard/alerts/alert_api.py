"""Alerts and the messages about them, as JSON."""

from __future__ import annotations

from flask import Blueprint

from contract.alerts.attempts import Attempt
from dashboard.accounts.access import identity, requires
from dashboard.alerts.answers import (
    AlertsAnswer,
    AlertsQuery,
    AttemptAnswer,
    DeliveriesAnswer,
    DeliveriesQuery,
)
from dashboard.alerts.rights import cameras_by_id, may_see_camera, visible_alerts
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
    cameras, everywhere = cameras_by_id(), identity().grants.allow_everywhere("administrator")
    return [
        (row, one)
        for row, one in rows
        if (may_see_camera(one.camera_id, one.group, cameras) if one.camera_id else everywhere)
    ]
