"""Turns errors into answers: JSON with a stable name and plain words, or a page."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Final

from flask import Flask, Response, current_app, jsonify, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from bus.connection.trouble import TITLES, Trouble, trouble_of
from bus.errors import StoreError
from contract.errors import (
    AccountError,
    AlertError,
    BusyError,
    CameraChangedError,
    CameraConfigError,
    CameraFileError,
    CameraNameTakenError,
    CameraNotFoundError,
    CamerasChangedError,
    HistoryNotSummedError,
    MessageError,
    QueryError,
    TooManyAttemptsError,
    UploadError,
)
from dashboard.services import services
from dashboard.web.answers import Problem

NAMES: Final = {
    400: "bad_request",
    401: "not_signed_in",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "too_slow",
    412: "precondition_failed",
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid",
    429: "too_many_requests",
    503: "busy",
}

UPLOAD_STATUS: Final = {"empty": 400, "too_large": 413, "wrong_type": 415, "damaged": 422}
"""Status by the kind of an `UploadError`; 422 for other kinds."""

BUSY_FOR_S: Final = 2

_log = logging.getLogger(__name__)


class Refused(Exception):  # noqa: N818 - what happened to a request, not a fault of ours
    """A view's refusal, with its status and the fields of its `Problem`."""

    def __init__(
        self, status: int, error: str, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.error = error
        self.headers = headers or {}


def problem(status: int, error: str, detail: str, cause: Trouble | None = None) -> Response:
    """Return an error as JSON."""
    body = Problem(error=error, detail=detail, cause=cause)
    response = jsonify(body.model_dump(exclude_none=True))
    response.status_code = status
    return response


def register(app: Flask) -> None:
    """Handle every error of `app` with this module."""
    app.register_error_handler(CameraNotFoundError, _camera_not_found)
    app.register_error_handler(CameraNameTakenError, _name_taken)
    app.register_error_handler(CameraConfigError, _config)
    app.register_error_handler(CameraFileError, _camera_file)
    app.register_error_handler(CameraChangedError, _camera_changed)
    app.register_error_handler(CamerasChangedError, _cameras_changed)
    app.register_error_handler(QueryError, _query)
    app.register_error_handler(HistoryNotSummedError, _not_summed)
    app.register_error_handler(StoreError, _store)
    app.register_error_handler(MessageError, _unreadable)
    app.register_error_handler(AccountError, _account)
    app.register_error_handler(AlertError, _alert)
    app.register_error_handler(BusyError, _busy)
    app.register_error_handler(TooManyAttemptsError, _busy)
    app.register_error_handler(UploadError, _upload)
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(CSRFError, _forged)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def _answer(
    status: int, error: str, detail: str, title: str = "", cause: Trouble | None = None
) -> Response:
    accepted = request.accept_mimetypes.best_match(["application/json", "text/html"])
    if accepted != "text/html" or request.path.startswith("/api/"):
        return problem(status, error, detail, cause)
    page = render_template("error.html", status=status, error=error, detail=detail, title=title)
    return make_response(page, status)


def _camera_not_found(error: CameraNotFoundError) -> Response:
    return _answer(404, "camera_not_found", str(error))


def _name_taken(error: CameraNameTakenError) -> Response:
    return _answer(409, "name_taken", str(error))


def _config(error: CameraConfigError) -> Response:
    return _answer(422, "invalid_camera", str(error))


def _camera_file(error: CameraFileError) -> Response:
    return _answer(422, "invalid_file", str(error))


def _camera_changed(error: CameraChangedError) -> Response:
    return _answer(412, "camera_changed", str(error))


def _cameras_changed(error: CamerasChangedError) -> Response:
    return _answer(409, "cameras_changed", str(error))


def _query(error: QueryError) -> Response:
    return _answer(422, "invalid_query", str(error))


def _not_summed(error: HistoryNotSummedError) -> Response:
    response = _answer(503, "history_not_summed", str(error), title="The history is being added up")
    response.headers["Retry-After"] = "1"
    return response


def _account(error: AccountError) -> Response:
    return _answer(422, "invalid_account", str(error))


def _alert(error: AlertError) -> Response:
    return _answer(422, "invalid_alert", str(error))


def _upload(error: UploadError) -> Response:
    return _answer(UPLOAD_STATUS.get(error.kind, 422), f"upload_{error.kind}", str(error))


def _refused(error: Refused) -> Response:
    response = _answer(error.status, error.error, str(error))
    response.headers.update(error.headers)
    return response


def _busy(error: TooManyAttemptsError | BusyError) -> Response:
    status, headers = come_back(error)
    response = _answer(status, NAMES[status], str(error))
    response.headers.update(headers)
    return response


def come_back(error: TooManyAttemptsError | BusyError) -> tuple[int, dict[str, str]]:
    """Return the status, and the header `Retry-After`."""
    if isinstance(error, TooManyAttemptsError):
        return 429, {"Retry-After": str(math.ceil(error.wait_s))}
    return 503, {"Retry-After": str(BUSY_FOR_S)}


def _forged(_: CSRFError) -> Response:
    return _answer(400, "forged", _why_without_token())


def _why_without_token() -> str:
    if current_app.config["SESSION_COOKIE_NAME"] in request.cookies:
        return "this did not come from a page of your session; load the page again"
    if services().settings.behind_proxy and not request.is_secure:
        return (
            "the browser sent no cookie: MASKWATCH_BEHIND_PROXY has cookies travel over HTTPS "
            "only, and this came over HTTP; open the dashboard with https://, and have the proxy "
            "send X-Forwarded-Proto"
        )
    return "the browser sent no cookie; allow cookies of this site, and load the page again"


def _store(error: StoreError) -> Response:
    trouble, words = trouble_of(error), str(services().server.explain(error))
    services().server.leave_replica(error)
    response = _answer(503, "redis_unavailable", words, title=TITLES[trouble], cause=trouble)
    response.headers["Retry-After"] = "2"
    return response


def _unreadable(error: MessageError) -> Response:
    _log.error("%s", error)
    return _answer(500, "unreadable_record", str(error))


def _http(error: HTTPException) -> Response:
    if error.code is None or error.code < 400:
        return error.get_response()  # type: ignore[return-value]
    words = error.description or error.name
    if error.code == 413:
        most = (request.max_content_length or 0) / 2**20
        words = f"more than the {most:.3g} MB, or more parts, than this takes; send less at once"
    response = _answer(error.code, NAMES.get(error.code, "error"), words)
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After", "WWW-Authenticate"}:
            response.headers[name] = value
    return response


def _unexpected(error: Exception) -> Response:
    # Log the rule instead of the path, because the path of a one-time link contains its token.
    _log.error("%s %s failed", request.method, request.url_rule, exc_info=error)
    return _answer(500, "internal_error", "The dashboard failed here; its log says why.")
