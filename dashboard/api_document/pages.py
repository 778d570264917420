"""The document, and a page to read it on."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, current_app, jsonify, render_template
from markupsafe import Markup

from dashboard.accounts.access import requires
from dashboard.api_document.document import make_document
from dashboard.web.conditional import conditional

API_VERSION: Final = "1.0.0"

blueprint = Blueprint("api_document", __name__)


@blueprint.get("/api/v1/openapi.json")
@requires("viewer")
def openapi() -> Response:
    """This document."""
    document = make_document(current_app, API_VERSION)
    return conditional(jsonify(document), document)


@blueprint.get("/api")
@requires("viewer")
def page() -> str:
    """The API to browse."""
    document = make_document(current_app, API_VERSION)
    schemas = document["components"]["schemas"]
    operations = [
        {"path": path, "method": method.upper(), **operation}
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    return render_template(
        "api.html", info=document["info"], operations=operations, schemas=schemas
    )


@blueprint.app_template_filter()
def code_words(text: str) -> Markup:
    """Words in which what stands between backticks is code."""
    pieces = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if number % 2 else piece
        for number, piece in enumerate(pieces)
    )


@blueprint.app_template_filter()
def schema_words(schema: dict[str, Any]) -> str:
    """A JSON schema in one line: `number, 0.1 to 60`, `list of Zone`, `string or null`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(schema_words(one) for one in schema[key]))
    if "enum" in schema or "const" in schema:
        return " | ".join(map(str, schema.get("enum", [schema.get("const")])))
    kind = str(schema.get("type", "anything"))
    if kind == "array":
        inner = schema.get("items") or (schema.get("prefixItems") or [{}])[0]
        return f"list of {schema_words(inner)}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {schema_words(schema['additionalProperties'])}"
    return ", ".join([kind, *_bounds(schema)])


def _bounds(schema: dict[str, Any]) -> list[str]:
    low = schema.get("minimum", schema.get("minLength"))
    high = schema.get("maximum", schema.get("maxLength"))
    unit = " characters" if schema.get("type") == "string" else ""
    if low is not None and high is not None:
        return [f"{low} to {high}{unit}"]
    if high is not None:
        return [f"at most {high}{unit}"]
    return [f"at least {low}{unit}"] if low is not None else []
