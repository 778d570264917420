"""Requests that bring files: how much they may bring, and that nothing of it reaches a disk."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any, Final, TypeVar, cast

from flask import Flask, Request, Response, current_app, request
from werkzeug.exceptions import HTTPException

LIMITS: Final = "upload_limits"
OTHER_FIELDS: Final = 8
DRAINED_AT_MOST: Final = 64 * 1024 * 1024
DRAINED_FOR_S: Final = 10.0

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Limits:
    """What a view takes at most; everything else takes what `create_app` says."""

    body_bytes: int
    files: int


class InMemoryRequest(Request):
    """Keeps uploaded files in memory, which `Limits` bound; by default large ones go to a disk."""

    def _get_file_stream(self, *_: Any, **__: Any) -> IO[bytes]:
        return io.BytesIO()


def takes_files(body_bytes: int, files: int) -> Callable[[View], View]:
    """Let a view's requests bring so much."""

    def mark(view: View) -> View:
        setattr(view, LIMITS, Limits(body_bytes, files))
        return view

    return mark


def register(app: Flask) -> None:
    """Apply the views' limits. Before any hook that reads a form, such as that of the token."""
    app.request_class = InMemoryRequest
    app.before_request(_apply_limits)
    app.after_request(_drain)


def _limits() -> Limits | None:
    view = current_app.view_functions.get(request.endpoint or "")
    return cast(Limits | None, getattr(view, LIMITS, None))


def _apply_limits() -> None:
    limits = _limits()
    if limits is not None:
        request.max_content_length = limits.body_bytes
        request.max_form_parts = limits.files + OTHER_FIELDS


def _drain(response: Response) -> Response:
    """Read what a refused request still brings, and forget it.

    A server that closes a connection with something unread resets it, and then a browser never
    sees the answer that says why.
    """
    if _limits() is None or response.status_code < 400:
        return response
    body, left = request.environ["wsgi.input"], DRAINED_AT_MOST
    give_up_s = time.monotonic() + DRAINED_FOR_S
    while left > 0 and time.monotonic() < give_up_s:
        try:
            part = body.read(min(left, 65536))
        except HTTPException:  # it came too slowly; the answer that there is says more
            break
        if not part:
            break
        left -= len(part)
    return response
