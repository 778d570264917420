"""The health check and the metrics."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request
from prometheus_client.exposition import choose_encoder
from pydantic import BaseModel

from dashboard.accounts.access import public, requires
from dashboard.operations.metrics import Detail
from dashboard.services import services
from dashboard.web.errors import problem
from dashboard.web.requests import query


class MetricsQuery(BaseModel):
    """How much a scrape says of each camera."""

    detail: Detail = "full"


blueprint = Blueprint("operations", __name__)


@blueprint.get("/healthz")
@public
def healthz() -> Response:
    """Return 200 while Redis accepts writes and lost no data and a worker is alive; else 503.

    A Redis Cluster accepts writes if each of its parts does.
    """
    services().server.require_storing_everywhere()
    if loss := services().losses.look():
        return problem(503, "redis_lost_data", f"{loss.words}.")
    workers, ingests = services().workers.live(), services().ingests.live()
    if not workers:
        return problem(503, "no_worker", "No worker is alive; start one with `maskwatch worker`.")
    return jsonify(status="ok", workers=len(workers), ingests=len(ingests))


@blueprint.get("/metrics")
@requires("viewer", everywhere=True, metrics=True)
def metrics() -> Response:
    """Return all metrics in Prometheus' text format, or in OpenMetrics if `Accept` asks for it.

    `detail=summary` is for many cameras: see the page on metrics.
    """
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    registry = services().metrics[query(MetricsQuery).detail]
    return Response(encode(registry), content_type=content_type)
