"""Makes the OpenAPI document of an application from its routes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

from flask import Flask
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema
from werkzeug.routing import Rule as Route

from contract.people.verdicts import MEANINGS
from dashboard.accounts.access import Rule, rule_of
from dashboard.web.answering import Description, answers, description_of
from dashboard.web.answers import Problem

OPENAPI: Final = "3.1.0"
PREFIX: Final = "/api/v1/"
EVENTS: Final = "text/event-stream"
FORMER: Final = "former_"
"""Prefix of the names of blueprints that answer at a path of the version before; the document calls
such routes deprecated."""
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
WHAT: Final = """Cameras, the people counted on them, and mask compliance over time.

Sign in, or send an API key: `Authorization: Bearer KEY`, or HTTP's basic scheme with the key as the
password. Times are seconds since the epoch, in UTC. Errors are JSON with a stable name (`error`)
and an explanation (`detail`). Answers to GET carry an `ETag`. Send it as `If-None-Match` to get 304
instead of an unchanged answer. Send it as `If-Match` with a change to get 412 instead of
overwriting somebody else's change."""
VERDICTS_MEAN: Final = "\n".join(
    ["A verdict says how somebody wears a mask:", ""]
    + [f"- `{verdict}`: {meaning}" for verdict, meaning in MEANINGS.items()]
)

ALWAYS: Final = {
    400: "The request cannot be read, or names a host that this dashboard does not serve.",
    401: "The request has neither a session nor a valid API key.",
    403: "The account or key may not do this.",
    503: "Redis is unavailable or refuses writes; `Retry-After` says when to try again.",
}


def make_document(app: Flask, version: str, root: str = "") -> dict[str, Any]:
    """Return the document of all routes under `/api/v1/` that describe themselves.

    `root`: the path under which a proxy serves the dashboard.
    """
    described = list(_described(app))
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
        operation = _operation(route, method, view, description, rule, references)
        paths.setdefault(_path(route), {})[method.lower()] = operation
    return {
        "openapi": OPENAPI,
        "info": {
            "title": "Maskwatch",
            "version": version,
            "description": f"{WHAT}\n\n{VERDICTS_MEAN}",
        },
        "servers": [{"url": root or "/"}],
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


def _described(app: Flask) -> Iterator[tuple[Route, str, Any, Description]]:
    """Yield each described route under `/api/v1/` with a method and its view, ordered by path."""
    for route in sorted(app.url_map.iter_rules(), key=lambda route: route.rule):
        view = app.view_functions[route.endpoint]
        description = description_of(view)
        if route.rule.startswith(PREFIX) and description is not None:
            for method in METHODS:
                if method in (route.methods or ()):
                    yield route, method, view, description


def _models(description: Description) -> dict[type[BaseModel], JsonSchemaMode]:
    sent = {*description.models.values(), *description.said.events.values()}
    found: dict[type[BaseModel], JsonSchemaMode] = dict.fromkeys(sent, "serialization")
    return found | ({description.said.body: "validation"} if description.said.body else {})


def _operation(
    route: Route,
    method: str,
    view: Any,
    description: Description,
    rule: Rule | None,
    references: dict[Any, Any],
) -> dict[str, Any]:
    summary, _, more = inspect.cleandoc(view.__doc__ or view.__name__).partition("\n\n")
    operation: dict[str, Any] = {
        "operationId": route.endpoint.replace(".", "_"),
        "summary": " ".join(summary.split()),
        "description": "\n\n".join(filter(None, [more.strip(), *_extra_words(description, rule)])),
        "deprecated": route.endpoint.startswith(FORMER) or None,
        "x-role": rule.role if rule else None,
        "tags": [route.rule.removeprefix(PREFIX).split("/")[0]],
        "parameters": [*_in_path(route), *_in_query(description), *_in_head(description.said)],
        "responses": _responses(description, route, method, references),
    }
    if content := _taken(description.said, references):
        operation["requestBody"] = {"required": True, "content": content}
    return {name: value for name, value in operation.items() if value not in ("", [], None)}


def _taken(said: answers, references: dict[Any, Any]) -> dict[str, Any]:
    """Return the content of a request's body, by type."""
    if said.files:
        parts = {"type": "array", "items": {"type": "string", "format": "binary"}, "minItems": 1}
        form = {"type": "object", "properties": {said.files: parts}, "required": [said.files]}
        return {"multipart/form-data": {"schema": form}}
    if said.body is not None:
        return {"application/json": {"schema": references[said.body]}}
    return _as_it_is(said.raw) if said.raw else {}


def _extra_words(description: Description, rule: Rule | None) -> Iterator[str]:
    """Yield words for facts that viewers do not show: the role, and each event's model."""
    if kinds := description.said.events:
        named = ", ".join(f"`{kind}` a `{model.__name__}`" for kind, model in kinds.items())
        yield f"Events and their data: {named}."
    if rule and rule.role:
        everywhere = " for all cameras" if rule.everywhere else ""
        yield f"Needs the role `{rule.role}`{everywhere}."


def _as_it_is(media: str) -> dict[str, Any]:
    """Return the content of a body that is one file, in any of these types."""
    file = {"type": "string", "format": "binary"}
    # Readers of the document can parse YAML, so they expect an object.
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


def _in_head(said: answers) -> list[dict[str, Any]]:
    headers = {}
    if said.version:
        headers["If-Match"] = (
            "The `ETag`, or the version in quotes, that you read; 412 if it has changed."
        )
    if said.events:
        headers["Last-Event-ID"] = (
            "The `id` of the last event received; the stream begins with the events since."
        )
    schema = {"type": "string"}
    return [
        {"name": name, "in": "header", "description": words, "schema": schema}
        for name, words in headers.items()
    ]


def _responses(
    description: Description, route: Route, method: str, references: dict[Any, Any]
) -> dict[str, Any]:
    said, status = description.said, description.status
    words = {status: HTTPStatus(status).phrase, **_problems(description, route)}
    words |= {c: one if isinstance(one, str) else _words(one) for c, one in said.also.items()}
    if method == "GET" and description.models and not said.no_store:
        words[304] = "Unchanged since the answer that `If-None-Match` names."
    content = {code: _json(references[model]) for code, model in description.models.items()}
    if said.csv:
        content[status]["text/csv"] = {"schema": {"type": "string"}}
    if said.media:
        content[status] = {**content.get(status, {}), **_as_it_is(said.media)}
    if said.events:
        events = {name: references[model] for name, model in said.events.items()}
        content[status] = {EVENTS: {"schema": {"type": "string"}, "x-events": events}}
    for code in words:
        if code >= 400:
            own = [references[description.models[code]]] if code in description.models else []
            content[code] = _json(*own, references[Problem])
    return {
        str(code): {"description": words[code], **_with(content.get(code))}
        for code in sorted(words)
    }


def _json(*schemas: Any) -> dict[str, Any]:
    one = schemas[0] if len(schemas) == 1 else {"anyOf": list(schemas)}
    return {"application/json": {"schema": one}}


def _with(content: dict[str, Any] | None) -> dict[str, Any]:
    return {"content": content} if content else {}


def _words(model: type[BaseModel]) -> str:
    return inspect.cleandoc(model.__doc__ or "")


def _problems(description: Description, route: Route) -> dict[int, str]:
    """Return the possible errors of a view, from the parts of its request."""
    said, found = description.said, dict(ALWAYS)
    if route.arguments:
        found[404] = "Nothing with this id is visible to this account."
    if description.query is not None:
        found |= {404: "A named camera does not exist.", 422: "The query is invalid."}
    if said.raw:
        found |= {413: "The body is too large.", 415: "The body has another type."}
        found[422] = "The body is invalid."
    if said.files:
        found |= {
            413: "The upload is too large.",
            415: "The body is not a form with files, or a file has another type.",
            422: "A file cannot be used.",
            429: "Too many uploads are waiting.",
        }
    if said.body is not None:
        found |= {
            404: "A named camera does not exist.",
            409: "Another record has this name.",
            413: "The body is too large.",
            415: "The body is not JSON.",
            422: "A field is invalid.",
        }
    if said.version:
        found[412] = "Somebody else changed the record since you read it; nothing changed."
    return found


def _path(route: Route) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.rule)
