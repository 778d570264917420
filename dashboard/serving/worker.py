"""gunicorn's gevent worker, which limits its connections with a table.

The worker reads small request bodies before it calls the application, so that a slow sender costs
only a greenlet. Larger bodies go to the views that accept files, which first check the client.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import socket
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import gevent
from gunicorn.workers.ggevent import GeventWorker
from werkzeug.exceptions import HTTPException

from contract.errors import BusyError
from dashboard.app import MAX_BODY_BYTES
from dashboard.serving.proxies import Proxies
from dashboard.web.connections import ENVIRON, SWEEP_S, Connections
from dashboard.web.errors import BUSY_FOR_S, NAMES
from dashboard.web.request_body import RequestBody

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

UNACKNOWLEDGED_MS: Final = 30_000
"""Seconds for which a client may leave sent data unread."""
ACCEPTED_AT_ONCE: Final = 200
"""Most accepted connections that wait for a place in the table."""


class WebWorker(GeventWorker):  # type: ignore[misc]
    """Serves the dashboard; `self.app` is `dashboard.serving.server`'s."""

    wsgi: WSGIApplication

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._proxies = Proxies(self.app.settings.proxy_addresses)
        self._connections = Connections(self.app.most_connections)
        # Never reached: the table makes room, where gevent's pool would let everybody wait.
        self.worker_connections = self.app.most_connections + ACCEPTED_AT_ONCE

    def load_wsgi(self) -> None:
        super().load_wsgi()
        application: WSGIApplication = self.wsgi

        def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            connection = environ[ENVIRON] = self._connections.of(environ["gunicorn.socket"])
            body = environ["wsgi.input"]
            if not isinstance(body, io.BytesIO):
                environ["wsgi.input"] = RequestBody(body, connection)
            return application(environ, start_response)

        self.wsgi = call

    def run(self) -> None:
        gevent.spawn(self._give_up_late)
        super().run()

    def _give_up_late(self) -> None:
        while self.alive:
            self._connections.give_up_late()
            gevent.sleep(SWEEP_S)

    def timeout_ctx(self) -> gevent.Timeout:
        # Not the same for all: many that came together would come back together.
        return gevent.Timeout(self.cfg.keepalive * random.uniform(1, 2), False)  # noqa: S311

    def handle(self, listener: Any, client: socket.socket, addr: Any) -> None:
        peer = addr[0]
        connection = self._connections.open(client, "" if peer in self._proxies else peer)
        if connection is None:
            _refuse(client, BusyError("Every connection that there may be is in use."))
            client.close()
            return
        with contextlib.suppress(OSError):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
        try:
            super().handle(listener, client, addr)
        finally:
            self._connections.close(connection)

    def handle_request(self, listener_name: Any, req: Any, sock: socket.socket, addr: Any) -> bool:
        connection = self._connections.of(sock)
        if addr[0] in self._proxies:
            forwarded_for = ",".join(v for name, v in req.headers if name == "X-FORWARDED-FOR")
            self._connections.comes_from(connection, self._proxies.client(addr[0], forwarded_for))
        try:
            connection.enter("answering")
            if _small(req.headers):
                req.body = io.BytesIO(_whole(RequestBody(req.body, connection), req.headers))
        except (BusyError, HTTPException) as error:
            _refuse(sock, error)
            raise StopIteration from error
        served = super().handle_request(listener_name, req, sock, addr)
        connection.enter("idle")
        return bool(served)


def _length(headers: list[tuple[str, str]]) -> int:
    return next((int(value) for name, value in headers if name == "CONTENT-LENGTH"), 0)


def _small(headers: list[tuple[str, str]]) -> bool:
    """Whether the worker reads the body before it calls the application."""
    waits = any(name == "EXPECT" for name, _ in headers)  # for the application to want it
    return 0 < _length(headers) <= MAX_BODY_BYTES and not waits


def _whole(body: RequestBody, headers: list[tuple[str, str]]) -> bytes:
    length = _length(headers)
    whole = body.read(length)
    if len(whole) < length:
        raise StopIteration  # the client has hung up
    return whole


def _refuse(client: socket.socket, error: BusyError | HTTPException) -> None:
    """Answer without the application, and without waiting for the client to read the answer."""
    status = error.code or 503 if isinstance(error, HTTPException) else 503
    words = error.description if isinstance(error, HTTPException) else str(error)
    body = json.dumps({"error": NAMES[status], "detail": words}).encode()
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        f"Connection: close\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nRetry-After: {BUSY_FOR_S}\r\n\r\n"
    )
    with contextlib.suppress(OSError):
        client.send(head.encode() + body)
