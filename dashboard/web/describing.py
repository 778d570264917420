"""What a view says of itself for the API's document, beyond its route, its rule and its words.

@blueprint.get("/<camera_id>/people")
@requires("viewer")
@describes(PeopleAnswer, query=PeopleQuery)
def people(camera_id): ...
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast

from pydantic import BaseModel

DESCRIPTION: Final = "api_description"

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Description:
    """What goes in and what comes out of a view that answers."""

    answer: type[BaseModel] | None
    """None: an answer without a body."""
    status: int = 200
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    csv: bool = False
    """The same as CSV, for who asks for it."""
    files: str = ""
    """Name of the form's parts that bring files, where the body is such a form."""
    media: str = ""
    """Type of an answer that is no JSON; several with commas between them."""
    later: bool = False
    """202 with the same answer where it takes long."""
    raw: str = ""
    """Type of a body that is one file, as it is; several with commas between them."""
    events: Mapping[str, type[BaseModel]] = field(default_factory=dict)
    """What comes in the events of an endless answer, by their type."""
    version: bool = False
    """Takes `If-Match`."""
    more: Mapping[int, str] = field(default_factory=dict)
    """Further statuses and what they mean."""


def describes(
    answer: type[BaseModel] | None,
    *,
    status: int = 200,
    query: type[BaseModel] | None = None,
    body: type[BaseModel] | None = None,
    csv: bool = False,
    files: str = "",
    media: str = "",
    later: bool = False,
    raw: str = "",
    events: Mapping[str, type[BaseModel]] | None = None,
    version: bool = False,
    more: Mapping[int, str] | None = None,
) -> Callable[[View], View]:
    """Describe a view for the document."""

    def mark(view: View) -> View:
        found = Description(
            answer=answer,
            status=status,
            query=query,
            body=body,
            csv=csv,
            files=files,
            media=media,
            later=later,
            raw=raw,
            events=events or {},
            version=version,
            more=more or {},
        )
        setattr(view, DESCRIPTION, found)
        return view

    return mark


def description_of(view: Callable[..., Any]) -> Description | None:
    """What a view says of itself; None when nothing."""
    return cast(Description | None, getattr(view, DESCRIPTION, None))
