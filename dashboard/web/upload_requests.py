"""Limits the size of uploads, and keeps them off the disk."""

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
    """The limits of a view. Other views have the limits of `create_app`."""

    body_bytes: int
    files: int


class InMemoryRequest(Request):
    """Keeps uploaded files in memory, within `Limits`; Flask would write large ones to disk."""

    def _get_file_stream(self, *_: Any, **__: Any) -> IO[bytes]:
        return io.BytesIO()


def takes_files(body_bytes: int, files: int) -> Callable[[View], View]:
    """Set the limits of a view's requests."""

    def mark(view: View) -> View:
        setattr(view, LIMITS, Limits(body_bytes, files))
        return view

    return mark


def register(app: Flask) -> None:
    """Apply the views' limits. Call this before adding hooks that read forms (the token's)."""
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
    """Read and discard the rest of a refused request.

    A server that closes a connection with unread data resets it. The browser would then never see
    the answer with the reason.
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
