"""Believes proxies about who asks, and nobody else.

Anybody can send `X-Forwarded-For`. Only what comes from an address that was set as a proxy's
(`MASKWATCH_PROXY_ADDRESSES`) is read: whose request it is, the scheme and host that the browser
used, and the path under which the proxy serves the dashboard.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Final

from flask import Flask, request
from flask.sessions import SecureCookieSessionInterface
from werkzeug.middleware.proxy_fix import ProxyFix

from runtime.settings import is_path_prefix

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HOPS: Final = 10
"""Most proxies in a row that are followed."""
_log = logging.getLogger(__name__)


class Proxies:
    """The addresses of proxies in front of the dashboard."""

    def __init__(self, networks: str) -> None:
        """`networks`: addresses and networks, with commas between; none: there is no proxy."""
        parts = filter(None, map(str.strip, networks.split(",")))
        self._networks = [ip_network(part, strict=False) for part in parts]

    def __contains__(self, address: str) -> bool:
        found = _parse(address)
        return found is not None and any(found in network for network in self._networks)

    def client(self, peer: str, forwarded_for: str) -> str:
        """Who asks, where `peer` is connected to us and sent this `X-Forwarded-For`.

        Each proxy adds, at the end, the address it was asked by. So that of the last one that is no
        proxy of ours is the client's; what stands before it, the client may have made up.
        """
        client = peer
        for entry in reversed(forwarded_for.rsplit(",", HOPS)[-HOPS:]):
            found = _parse(entry.strip())
            if client not in self or found is None:
                break
            client = str(found)
        return client


class BelieveProxies:
    """WSGI middleware: what a proxy of ours says of a request is true."""

    def __init__(self, app: WSGIApplication, proxies: Proxies) -> None:
        self._app = app
        self._proxies = proxies
        self._from_proxy = ProxyFix(app, x_for=0, x_proto=1, x_host=1)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        peer = environ.get("REMOTE_ADDR", "")
        if peer not in self._proxies:
            return self._app(environ, start_response)
        forwarded_for = environ.get("HTTP_X_FORWARDED_FOR", "")
        environ["REMOTE_ADDR"] = self._proxies.client(peer, forwarded_for)
        return self._from_proxy(environ, start_response)


class UnderPath:
    """WSGI middleware: the dashboard is under a path of its host, such as `/maskwatch`.

    The proxy names the path in `X-Forwarded-Prefix`; otherwise it is the one that is set. The proxy
    may take it off before it asks, or leave it there. A path that begins like one of our own is
    left alone, because nobody could tell the two apart: the proxy must take that off.
    """

    def __init__(
        self, app: WSGIApplication, proxies: Proxies, prefix: str, own: frozenset[str]
    ) -> None:
        """`prefix`: as set, "" for none. `own`: the first segments of our own paths."""
        self._app = app
        self._proxies = proxies
        self._prefix = prefix
        self._own = own

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        prefix = self._prefix_of(environ)
        if prefix:
            environ["SCRIPT_NAME"] = prefix
            environ["PATH_INFO"] = self._without(prefix, environ.get("PATH_INFO", ""))
        return self._app(environ, start_response)

    def _prefix_of(self, environ: WSGIEnvironment) -> str:
        sent = environ.get("HTTP_X_FORWARDED_PREFIX", "").rpartition(",")[2].strip().rstrip("/")
        if not sent or environ.get("REMOTE_ADDR", "") not in self._proxies:
            return self._prefix
        if is_path_prefix(sent):
            return str(sent)
        _log.warning("ignored an X-Forwarded-Prefix that is not a plain path: %.100r", sent)
        return self._prefix

    def _without(self, prefix: str, path: str) -> str:
        begins = path == prefix or path.startswith(prefix + "/")
        return path[len(prefix) :] if begins and prefix.split("/")[1] not in self._own else path


class CookiesUnderPath(SecureCookieSessionInterface):
    """Flask's signed cookie, sent to the dashboard's own path only: others share the host."""

    def get_cookie_path(self, app: Flask) -> str:
        return request.script_root or "/"


def _parse(address: str) -> IPv4Address | IPv6Address | None:
    """An address as servers write it; one of IPv4 that came over an IPv6 socket as what it is."""
    try:
        found = ip_address(address)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
