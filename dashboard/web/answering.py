"""Turns what a view returns into its answer, and tells the API's document the same.

    @blueprint.get("/<camera_id>/people")
    @requires("viewer")
    @answers()
    def people(camera_id: str, query: PeopleQuery) -> PeopleAnswer: ...

The annotations say it all, once. A view gets its `query` read into that model. The model that it is
annotated to return is both the schema in the document and the only class that it can answer with.
`-> None` is 204, and `-> Answer[Model]` brings headers, or another status. Refusals are raised
(`dashboard.web.errors`). Only files, pictures and streams are a `Response`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Final, Generic, TypeVar, cast, get_args, get_origin, get_type_hints

from flask import Response, jsonify, request
from pydantic import BaseModel

from dashboard.web.conditional import conditional
from dashboard.web.requests import query

DESCRIPTION: Final = "api_description"
NO_CONTENT: Final = 204

View = Callable[..., Any]
Model = TypeVar("Model", bound=BaseModel, covariant=True)


@dataclass(frozen=True)
class Answer(Generic[Model]):
    """A model with what else its answer brings."""

    body: Model
    status: int = 0
    """0: the view's own."""
    headers: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    """Of what can be written, for `If-Match`: the entity tag begins with it."""


@dataclass(frozen=True)
class answers:  # noqa: N801 - it reads as the decorator that it is
    """Answer with what the view returns, and describe it.

    Raises:
        TypeError: the view's annotation is none that this file begins with.
    """

    status: int = 0
    """Where all went well; 0: 200, or 204 of a view without an answer."""
    also: Mapping[int, str | type[BaseModel]] = field(default_factory=dict)
    """Further statuses: what they mean, or the model that comes with them and says it."""
    body: type[BaseModel] | None = None
    files: str = ""
    """Name of the form's parts that bring files, where the body is such a form."""
    raw: str = ""
    """Type of a body that is one file, as it is; several with commas between them."""
    media: str = ""
    """Type of an answer that is no JSON; several with commas between them."""
    csv: bool = False
    """The same as CSV, for who asks for it."""
    events: Mapping[str, type[BaseModel]] = field(default_factory=dict)
    """What comes in the events of an endless answer, by their type."""
    version: bool = False
    """Takes `If-Match`."""
    passing: Collection[str] = ()
    """Fields that change by themselves, such as an age (`conditional`)."""
    no_store: bool = False
    """No browser may keep it, so that it has no entity tag."""

    def __call__(self, view: View) -> Callable[..., Response]:
        description = _describe(self, view)

        @wraps(view)
        def answer(**arguments: Any) -> Response:
            if description.query is not None:
                arguments["query"] = query(description.query)
            return _respond(description, view(**arguments))

        setattr(answer, DESCRIPTION, description)
        return answer


@dataclass(frozen=True)
class Description:
    """What goes into a view and what comes out of it."""

    view: str
    said: answers
    status: int
    models: Mapping[int, type[BaseModel]]
    """What it answers as JSON, by status."""
    query: type[BaseModel] | None

    @property
    def responds(self) -> bool:
        """Whether it may make its `Response` itself."""
        return bool(self.said.media or self.said.events or self.said.csv)


def description_of(view: View) -> Description | None:
    """What a view says of itself; None when nothing."""
    return cast(Description | None, getattr(view, DESCRIPTION, None))


def _describe(said: answers, view: View) -> Description:
    name, hints = f"{view.__module__}.{view.__name__}", get_type_hints(view)
    parts = list(_parts(hints.get("return")))
    models = [part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)]
    status = said.status or (NO_CONTENT if parts == [type(None)] else 200)
    usual = {code: model for model in models for code in (status, *_as_usual(said))}
    others = {code: one for code, one in said.also.items() if isinstance(one, type)}
    described = Description(name, said, status, usual | others, hints.get("query"))
    expected = [*models[:1], *[Response] * described.responds] or [type(None)]
    if sorted(map(repr, parts)) != sorted(map(repr, expected)):
        raise TypeError(
            f"{name}: expected to return a model, an Answer[Model] or None, or a Response and its "
            f"media, events or csv described; found {hints.get('return')}"
        )
    return described


def _parts(hint: Any) -> Iterator[Any]:
    """The classes of `Model`, `Answer[Model]`, and of what `|` joins."""
    if inspect.isclass(hint) and get_origin(hint) is None:
        yield hint
    else:
        for part in get_args(hint):
            yield from _parts(part)


def _as_usual(said: answers) -> list[int]:
    """Other statuses that come with the same model, such as 202 of what has not finished."""
    return [c for c, one in said.also.items() if isinstance(one, str) and c // 100 == 2]


def _respond(description: Description, returned: Any) -> Response:
    if returned is None and description.status == NO_CONTENT:
        return Response(status=NO_CONTENT)
    if isinstance(returned, Response) and description.responds:
        return returned
    answer = returned if isinstance(returned, Answer) else Answer(returned)
    status = answer.status or description.status
    if type(answer.body) is not description.models.get(status):
        raise TypeError(
            f"{description.view}: expected {description.models.get(status)} with status {status}, "
            f"found {type(answer.body)}"
        )
    body = answer.body.model_dump(mode="json", by_alias=True)
    response = jsonify(body)
    response.status_code = status
    response.headers.update(answer.headers)
    if answer.version or (request.method == "GET" and not description.said.no_store):
        return conditional(response, body, description.said.passing, answer.version)
    return response
