"""Assembles the dashboard."""

from __future__ import annotations

from flask import Flask
from redis import Redis

from contract.settings import Settings
from dashboard import (
    camera_api,
    compliance_api,
    errors,
    guard,
    operations,
    pages,
    people_api,
    picture_streams,
    probe_api,
    wall_stream,
)
from dashboard.services import make_services

MAX_BODY_BYTES = 64 * 1024


def create_app(settings: Settings, redis: Redis) -> Flask:
    """Return the WSGI application. Connects to nothing until the first request."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    # Fields in the order we write them, so that people can read an answer.
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["maskwatch"] = make_services(settings, redis)
    guard.register(app)
    errors.register(app)
    for blueprint in (
        pages.blueprint,
        camera_api.blueprint,
        people_api.blueprint,
        compliance_api.blueprint,
        probe_api.blueprint,
        picture_streams.blueprint,
        wall_stream.blueprint,
        operations.blueprint,
    ):
        app.register_blueprint(blueprint)
    return app
