"""Turns a view's return value into its answer, and describes both for the API's document.

    @blueprint.get("/<camera_id>/people")
    @requires("viewer")
    @answers()
    def people(camera_id: str, query: PeopleQuery) -> PeopleAnswer: ...

The annotations are the only description. A view receives its `query` as an instance of that model.
The annotated model of the return value is the schema in the document, and the view must return an
instance of it. `-> None` means 204, and `-> Answer[Model]` adds headers or another status. A view
raises refusals (`dashboard.web.errors`). Only files, pictures and streams are a `Response`.
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
    """A model, with headers and status of its answer."""

    body: Model
    status: int = 0
    """0 means the view's own status."""
    headers: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    """Version of the record, for `If-Match`; the entity tag begins with it."""


@dataclass(frozen=True)
class answers:  # noqa: N801 - it reads as the decorator that it is
    """Answer with the view's return value, and describe it.

    Raises:
        TypeError: the view's annotation is not one of the forms in this module's docstring.
    """

    status: int = 0
    """Status of success. 0 means 200, or 204 for a view that returns None."""
    also: Mapping[int, str | type[BaseModel]] = field(default_factory=dict)
    """Meaning of each further status, or the model that it comes with."""
    body: type[BaseModel] | None = None
    files: str = ""
    """Name of the form's parts with files, if the body is a form."""
    raw: str = ""
    """Media types of a body that is one file, separated by commas."""
    media: str = ""
    """Media types of an answer other than JSON, separated by commas."""
    csv: bool = False
    """Whether the client can ask for CSV."""
    events: Mapping[str, type[BaseModel]] = field(default_factory=dict)
    """Models of the events in an endless answer, by type of event."""
    version: bool = False
    """Whether the view accepts `If-Match`."""
    passing: Collection[str] = ()
    """Fields that change by themselves, such as an age (`conditional`)."""
    no_store: bool = False
    """Whether browsers must not store the answer; it then has no entity tag."""

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
    """The description of a view's request and answer."""

    view: str
    said: answers
    status: int
    models: Mapping[int, type[BaseModel]]
    """Models of the JSON answers, by status."""
    query: type[BaseModel] | None

    @property
    def responds(self) -> bool:
        """Whether the view may return a `Response`."""
        return bool(self.said.media or self.said.events or self.said.csv)


def description_of(view: View) -> Description | None:
    """Return a view's description; None if it has none."""
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
    """Yield the classes in `Model`, `Answer[Model]` and unions of them."""
    if inspect.isclass(hint) and get_origin(hint) is None:
        yield hint
    else:
        for part in get_args(hint):
            yield from _parts(part)


def _as_usual(said: answers) -> list[int]:
    """Return further successful statuses with the same model, such as 202 before the end."""
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
