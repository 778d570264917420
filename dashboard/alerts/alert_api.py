"""Alerts and what was sent about them, as JSON."""

from __future__ import annotations

from flask import Blueprint, Response

from contract.alerts.attempts import Attempt
from dashboard.accounts.access import identity, requires
from dashboard.alerts.answers import AlertsAnswer, AlertsQuery, DeliveriesAnswer, DeliveriesQuery
from dashboard.alerts.rights import cameras_by_id, may_see_camera, visible_alerts
from dashboard.services import services
from dashboard.web.conditional import conditional
from dashboard.web.describing import describes
from dashboard.web.requests import entries_before, query

PASSING = ("evaluated_at_s",)

blueprint = Blueprint("alert_api", __name__, url_prefix="/api/v1/alerts")


@blueprint.get("")
@requires("viewer")
@describes(AlertsAnswer, query=AlertsQuery)
def alerts() -> Response:
    """Alerts at cameras that may be seen, the newest first: open ones, or the last ones over."""
    asked, store = query(AlertsQuery), services().alerts
    found = store.open() if asked.state == "open" else store.closed(asked.limit)
    body = {
        "alerts": [alert.model_dump(mode="json") for alert in visible_alerts(found)],
        "evaluated_at_s": store.evaluated_at_s(),
        "evaluated": store.evaluator_lives(),
    }
    return conditional(body, PASSING)


@blueprint.get("/deliveries")
@requires("viewer")
@describes(DeliveriesAnswer, query=DeliveriesQuery)
def deliveries() -> Response:
    """Attempts to deliver messages about cameras that may be seen, with what came of each."""
    asked = query(DeliveriesQuery)
    rows = services().deliveries.log(asked.limit, entries_before(asked.before))
    seen = [{"id": row, **one.model_dump(mode="json")} for row, one in visible_attempts(rows)]
    more = rows[-1][0] if len(rows) == asked.limit else None
    return conditional({"deliveries": seen, "before": more})


def visible_attempts(rows: list[tuple[str, Attempt]]) -> list[tuple[str, Attempt]]:
    """Those attempts that whoever is asking may see; tests are for administrators of all."""
    cameras, everywhere = cameras_by_id(), identity().grants.allow_everywhere("administrator")
    return [
        (row, one)
        for row, one in rows
        if (may_see_camera(one.camera_id, one.group, cameras) if one.camera_id else everywhere)
    ]
