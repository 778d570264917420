"""What a camera's connection did last, as JSON."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Final

from flask import Blueprint, Response, jsonify, request

from contract.errors import QueryError
from contract.status import CONNECTIONS_KEPT, StatusStore
from dashboard.accounts.access import requires
from dashboard.services import services

DEFAULT_LIMIT: Final = 50

blueprint = Blueprint("connection_api", __name__, url_prefix="/api/v1/cameras")


@blueprint.get("/<camera_id>/connections")
@requires("viewer")
def connections(camera_id: str) -> Response:
    """States and their reasons, newest first, as ingest noted them; `limit` at most 200."""
    services().cameras.get(camera_id)
    events = StatusStore(services().redis).history(camera_id, _limit())
    return jsonify(camera_id=camera_id, connections=[asdict(event) for event in events])


def _limit() -> int:
    text = request.args.get("limit", str(DEFAULT_LIMIT))
    if not re.fullmatch(r"\d{1,6}", text) or not 1 <= int(text) <= CONNECTIONS_KEPT:
        raise QueryError(f"limit: expected 1 to {CONNECTIONS_KEPT}; found {text[:40]}")
    return int(text)
