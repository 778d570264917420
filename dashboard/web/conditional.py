"""Answers that need not be sent again: an entity tag over what matters in them (RFC 9110)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from typing import Any

from flask import Response, request


def conditional(
    response: Response, body: dict[str, Any], passing: Collection[str] = (), version: str = ""
) -> Response:
    """Return `response`, which brings `body`, or 304 when the client has it as it is.

    `passing`: fields at any depth that change by themselves, such as an age, and do not make it
    another answer. Therefore the tag is a weak one. `version`: of what can be written; the tag
    begins with it, so that it can be sent back as `If-Match`.
    """
    digest = _digest(body, frozenset(passing))
    return tagged(response, f"{version}.{digest}" if version else digest)


def wanted_versions() -> frozenset[str] | None:
    """The versions that `If-Match` asks for; None without one, or for `*`, which is any.

    Of a tag as `conditional` makes it, only the version counts, and a weak tag is taken: what a
    camera sees changes all the time, and is nothing that a change of its settings writes over.
    """
    tags = request.if_match
    # One that cannot be read asks for a version that nothing has.
    if tags.star_tag or "If-Match" not in request.headers:
        return None
    # An empty tag comes as None.
    return frozenset((tag or "").partition(".")[0] for tag in tags.as_set(include_weak=True))


def tagged(response: Response, tag: str = "") -> Response:
    """Give an answer its tag, by default over its bytes, and compare it with the client's."""
    response.set_etag(tag or hashlib.sha256(response.get_data()).hexdigest()[:32], weak=True)
    # Kept by the browser or script that asked and by nobody else, and never used unasked.
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.add("Accept")
    response.make_conditional(request)
    return response


def _digest(body: dict[str, Any], passing: frozenset[str]) -> str:
    text = json.dumps(_without(body, passing), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _without(value: Any, passing: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {k: _without(v, passing) for k, v in value.items() if k not in passing}
    if isinstance(value, list):
        return [_without(item, passing) for item in value]
    return value
