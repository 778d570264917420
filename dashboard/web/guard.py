"""Keeps other web sites out: their pages must neither change nor read anything here.

This is the second line of defence. The first is the token, which only our own pages know: a cookie
without the token changes nothing (`dashboard.accounts.access`).
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from flask import Flask, Response, request

from dashboard.services import services
from dashboard.web.errors import Refused

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
PRIVATE_SUFFIXES: Final = (".local", ".localhost", ".internal", ".lan", ".home.arpa")
OPEN_PATHS: Final = frozenset({"/healthz", "/metrics"})
"""Endpoints that answer under any host name, because they serve no pictures and no secrets: probes
and Prometheus use their own names, and the page that refuses a name needs its static files."""

OWN_PAGES_ONLY: Final = "changes are accepted from this dashboard's pages only"

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
        "media-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # With "no-referrer", a form's POST would come from the origin "null".
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    # Otherwise any page could show our pictures of people.
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def register(app: Flask) -> None:
    """Check every request and mark every answer of `app`."""
    app.before_request(_refuse_foreign_host)
    app.before_request(_refuse_cross_site_write)
    app.after_request(_add_headers)


def _refuse_foreign_host() -> None:
    """Refuse public names that are not configured.

    Otherwise a page could point its own name at this address (DNS rebinding) and would then be
    "same origin". Addresses, and names outside public DNS, cannot be used for that attack.
    """
    host = _host_name(f"//{request.host}")
    if request.path in OPEN_PATHS or request.endpoint == "static" or _cannot_be_rebound(host):
        return
    settings = services().settings
    trusted = {name.strip().lower() for name in settings.trusted_hosts.split(",")}
    if host in trusted | {settings.host.lower()}:
        return
    raise Refused(
        400,
        "host_not_trusted",
        f"this dashboard does not know the name {host!r}; if it is its own, "
        f"set MASKWATCH_TRUSTED_HOSTS={host}",
    )


def _cannot_be_rebound(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return "." not in host or host.endswith(PRIVATE_SUFFIXES)
    return True


def _refuse_cross_site_write() -> None:
    if request.method in SAFE_METHODS:
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site and site not in ("same-origin", "none"):
        raise Refused(403, "cross_site", OWN_PAGES_ONLY)
    if not site and origin and _netloc(origin) != request.host.lower():
        raise Refused(403, "cross_site", f"{OWN_PAGES_ONLY}. {_what_a_proxy_must_send(origin)}")


def _what_a_proxy_must_send(origin: str) -> str:
    """Why our own page may look like another site's.

    Browsers send no `Sec-Fetch-Site` over plain HTTP, so the host's name decides. A proxy that asks
    for another name than the browser therefore looks like another site.
    """
    sent = request.headers.get("X-Forwarded-Host", "")
    if sent and sent != request.host:
        return (
            f"X-Forwarded-Host says {sent!r}, but came from {request.remote_addr}, which "
            "MASKWATCH_PROXY_ADDRESSES does not name"
        )
    return (
        f"The browser shows a page of {origin!r}, but asked for {request.host!r}. If a proxy is "
        "between them, have it pass the browser's Host on: in nginx, proxy_set_header Host "
        "$http_host"
    )


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return "invalid.host"


def _host_name(netloc: str) -> str:
    try:
        return (urlsplit(netloc).hostname or "").lower().rstrip(".")
    except ValueError:
        return "invalid.host"


def _add_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if services().settings.behind_proxy:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response
