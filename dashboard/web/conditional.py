"""Adds entity tags, so that unchanged answers are not sent again (RFC 9110)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from typing import Any

from flask import Response, request


def conditional(
    response: Response, body: dict[str, Any], passing: Collection[str] = (), version: str = ""
) -> Response:
    """Return `response` with `body`, or 304 if the client already has it.

    `passing`: fields at any depth that change by themselves, such as an age. The tag ignores them,
    and is therefore weak. `version`: the record's version. The tag begins with it, so that clients
    can send the tag as `If-Match`.
    """
    digest = _digest(body, frozenset(passing))
    return tagged(response, f"{version}.{digest}" if version else digest)


def wanted_versions() -> frozenset[str] | None:
    """Return the versions in `If-Match`; None without this header, or for `*`.

    Only the version in a tag from `conditional` counts, and weak tags are accepted, because a
    change of a camera's settings does not overwrite its faces, which change all the time.
    """
    tags = request.if_match
    # An unreadable tag asks for a version that no record has.
    if tags.star_tag or "If-Match" not in request.headers:
        return None
    # An empty tag comes as None.
    return frozenset((tag or "").partition(".")[0] for tag in tags.as_set(include_weak=True))


def tagged(response: Response, tag: str = "") -> Response:
    """Add a tag to an answer, by default over its bytes, and compare it with the client's tag."""
    response.set_etag(tag or hashlib.sha256(response.get_data()).hexdigest()[:32], weak=True)
    # Only the client may store the answer, and it must ask again before each use.
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
