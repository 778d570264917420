"""Makes the OpenAPI document of an application from its routes."""

from __future__ import annotations

import inspect
import re
from http import HTTPStatus
from typing import Any, Final

from flask import Flask
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema
from werkzeug.routing import Rule as Route

from dashboard.accounts.access import Rule, rule_of
from dashboard.web.answers import Problem
from dashboard.web.describing import Description, description_of

OPENAPI: Final = "3.1.0"
PREFIX: Final = "/api/v1/"
EVENTS: Final = "text/event-stream"
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
WHAT: Final = """Cameras, who is seen on them, and compliance over time.

Sign in, or send an API key: `Authorization: Bearer KEY`, or HTTP's basic scheme with the key as the
password. Times are seconds since the epoch, in UTC. Errors are JSON with `error`, a stable name,
and `detail`, plain words. Answers to GET carry an `ETag`; sent back as `If-None-Match`, it saves an
answer that would be the same (304). Sent as `If-Match` with a change, it keeps that from writing
over somebody else's (412)."""

ALWAYS: Final = {
    400: "The request cannot be read, or names a host that is not this dashboard's.",
    401: "Nobody is signed in, and no API key that works was sent.",
    403: "The account or key may not do this.",
    503: "Redis is away, or stores nothing; `Retry-After` says when to ask again.",
}


def make_document(app: Flask, version: str) -> dict[str, Any]:
    """Return the document of all routes under `/api/v1/` that describe themselves."""
    described = [
        (route, method, view, description)
        for route in sorted(app.url_map.iter_rules(), key=lambda route: route.rule)
        if route.rule.startswith(PREFIX)
        for method in METHODS
        if method in (route.methods or ())
        for view in [app.view_functions[route.endpoint]]
        for description in [description_of(view)]
        if description is not None
    ]
    models: dict[type[BaseModel], JsonSchemaMode] = {Problem: "serialization"}
    for *_, description in described:
        models |= _models(description)
    names, schemas = models_json_schema(
        list(models.items()), by_alias=True, ref_template="#/components/schemas/{model}"
    )
    references: dict[Any, Any] = {model: reference for (model, _), reference in names.items()}
    paths: dict[str, dict[str, Any]] = {}
    for route, method, view, description in described:
        rule = rule_of(view)
        operation = _operation(route, view, description, rule, references)
        paths.setdefault(_path(route), {})[method.lower()] = operation
    return {
        "openapi": OPENAPI,
        "info": {"title": "Maskwatch", "version": version, "description": WHAT},
        "paths": paths,
        "components": {
            "schemas": schemas.get("$defs", {}),
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer"},
                "player": {"type": "http", "scheme": "basic"},
            },
        },
        "security": [{"key": []}, {"player": []}],
    }


def _models(description: Description) -> dict[type[BaseModel], JsonSchemaMode]:
    found: dict[type[BaseModel], JsonSchemaMode] = {}
    if description.answer is not None:
        found[description.answer] = "serialization"
    if description.body is not None:
        found[description.body] = "validation"
    found |= dict.fromkeys(description.events.values(), "serialization")
    return found


def _operation(
    route: Route,
    view: Any,
    description: Description,
    rule: Rule | None,
    references: dict[Any, Any],
) -> dict[str, Any]:
    summary, _, more = inspect.cleandoc(view.__doc__ or view.__name__).partition("\n\n")
    operation: dict[str, Any] = {
        "operationId": route.endpoint.replace(".", "_"),
        "summary": " ".join(summary.split()),
        "description": more.strip(),
        "x-role": rule.role if rule else None,
        "tags": [route.rule.removeprefix(PREFIX).split("/")[0]],
        "parameters": [*_in_path(route), *_in_query(description), *_in_head(description)],
        "responses": _responses(description, route, references),
    }
    if description.body is not None:
        content = {"application/json": {"schema": references[description.body]}}
        operation["requestBody"] = {"required": True, "content": content}
    if description.files:
        parts = {"type": "array", "items": {"type": "string", "format": "binary"}, "minItems": 1}
        form = {
            "type": "object",
            "properties": {description.files: parts},
            "required": [description.files],
        }
        content = {"multipart/form-data": {"schema": form}}
        operation["requestBody"] = {"required": True, "content": content}
    if description.raw:
        content = _as_it_is(description.raw)
        operation["requestBody"] = {"required": True, "content": content}
    return {name: value for name, value in operation.items() if value not in ("", [], None)}


def _as_it_is(media: str) -> dict[str, Any]:
    """A body that is one file, in any of these types."""
    file = {"type": "string", "format": "binary"}
    # What reads the document reads YAML, too, and finds the object that it is.
    return {
        one: {"schema": {"type": "object"} if one == "application/yaml" else file}
        for one in media.split(", ")
    }


def _in_path(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"<(?:\w+:)?(\w+)>", route.rule)
    ]


def _in_query(description: Description) -> list[dict[str, Any]]:
    if description.query is None:
        return []
    schema = description.query.model_json_schema()
    return [
        {
            "name": name,
            "in": "query",
            "description": one.get("description", ""),
            "required": name in schema.get("required", ()),
            "schema": {k: v for k, v in one.items() if k not in {"description", "title"}},
        }
        for name, one in schema["properties"].items()
    ]


def _in_head(description: Description) -> list[dict[str, Any]]:
    headers = {}
    if description.version:
        headers["If-Match"] = (
            "The `ETag` or, in quotes, the version it was read with; 412 when it is another now."
        )
    if description.events:
        headers["Last-Event-ID"] = "The `id` of the last event that came; those since come first."
    schema = {"type": "string"}
    return [
        {"name": name, "in": "header", "description": words, "schema": schema}
        for name, words in headers.items()
    ]


def _responses(
    description: Description, route: Route, references: dict[Any, Any]
) -> dict[str, Any]:
    status = str(description.status)
    answers: dict[str, Any] = {status: {"description": HTTPStatus(description.status).phrase}}
    if description.answer is not None:
        content = {"application/json": {"schema": references[description.answer]}}
        if description.csv:
            content["text/csv"] = {"schema": {"type": "string"}}
        answers[status]["content"] = content
    if description.media:
        answers[status]["content"] = _as_it_is(description.media)
    if description.events:
        schema = {"type": "string"}
        events = {name: references[model] for name, model in description.events.items()}
        answers[status]["content"] = {EVENTS: {"schema": schema, "x-events": events}}
    if description.later:
        answers["202"] = {**answers[status], "description": "Not finished; ask at `Location`."}
    if description.status == HTTPStatus.OK and not (description.media or description.events):
        answers["304"] = {"description": "As `If-None-Match` says it was."}
    problems = dict(ALWAYS)
    if route.arguments:
        problems[404] = "There is none of that id, as far as this account may see."
    if description.query is not None:
        problems |= {
            404: "A camera that is named does not exist.",
            422: "The query cannot be used.",
        }
    if description.answer is not None and (description.files or description.later):
        problems[422] = "What was sent cannot be used."
    if description.raw:
        problems |= {413: "The body is too large.", 415: "The body is of another kind."}
        problems[422] = "The body cannot be used."
    if description.files:
        problems |= {
            413: "More than is taken at once.",
            415: "No form with files, or files of another kind.",
            429: "Too many wait already.",
        }
    if description.body is not None:
        problems |= {
            404: "A camera that is named does not exist.",
            409: "The name is taken.",
            413: "The body is too large.",
            415: "The body is not JSON.",
            422: "A field cannot be used.",
        }
    if description.version:
        problems[412] = "Somebody else changed it since; nothing was changed."
    problems |= {code: words for code, words in description.more.items() if code >= 400}
    for code, words in description.more.items():
        if code < 400:
            answers[str(code)] = {"description": words}
    for code, words in sorted(problems.items()):
        content = {"application/json": {"schema": references[Problem]}}
        answers[str(code)] = {"description": words, "content": content}
    return answers


def _path(route: Route) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.rule)
