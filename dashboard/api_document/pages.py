"""The API's document, and the page that shows it."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from flask import Blueprint, Response, current_app, jsonify, make_response, render_template, request
from werkzeug.exceptions import NotFound

from dashboard.accounts.access import requires
from dashboard.api_document.document import make_document
from dashboard.web.conditional import conditional, tagged
from dashboard.web.guard import HEADERS

API_VERSION: Final = "1.0.0"
VIEWER_FILES: Final = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
POLICY: Final = HEADERS["Content-Security-Policy"].replace("img-src", "img-src data:")
"""The viewer's style sheet brings its few signs as `data:`; everything else is as on any page."""

blueprint = Blueprint("api_document", __name__)


@blueprint.get("/api/v1/openapi.json")
@requires("viewer")
def openapi() -> Response:
    """This document."""
    document = make_document(current_app, API_VERSION, request.script_root)
    return conditional(jsonify(document), document)


@blueprint.get("/api")
@requires("viewer")
def page() -> Response:
    """The page to browse and try the API."""
    response = make_response(render_template("api.html"))
    response.headers["Content-Security-Policy"] = POLICY
    return response


@blueprint.get("/api/viewer/<name>")
@requires("viewer")
def viewer_file(name: str) -> Response:
    """A file of Swagger UI, which shows the document."""
    if name not in VIEWER_FILES:
        raise NotFound("the API's page needs no such file")
    body = files("flask_swagger_ui").joinpath("dist", name).read_bytes()
    return tagged(Response(body, mimetype=VIEWER_FILES[name]))
