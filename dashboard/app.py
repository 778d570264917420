"""Assembles the dashboard."""

from __future__ import annotations

from typing import Final

from flask import Flask

from bus.bus import Bus
from bus.connection.loss import LossWatch
from bus.stores.accounts.sessions import LONGEST_S
from dashboard import pages
from dashboard.accounts import access, administration, audit_api, own_account, sign_in
from dashboard.accounts.passwords import Passwords
from dashboard.alerts import alert_api, channel_api, channel_pages, rule_api
from dashboard.alerts import pages as alert_pages
from dashboard.api_document import pages as document_pages
from dashboard.api_document.document import FORMER
from dashboard.audits import api as audit_run_api
from dashboard.audits import pages as audit_pages
from dashboard.audits import tally_api
from dashboard.cameras import api as camera_api
from dashboard.cameras import connection_api, find_api, probe_api
from dashboard.cameras import file_api as camera_file_api
from dashboard.compliance import api as compliance_api
from dashboard.compliance import people_api
from dashboard.live import event_api, picture_streams, wall_stream
from dashboard.operations import health as operations
from dashboard.overview import api as overview_api
from dashboard.overview import pages as overview_pages
from dashboard.reports import api as report_api
from dashboard.reports import pages as report_pages
from dashboard.reports import schedule_api, schedule_pages
from dashboard.services import make_services
from dashboard.serving.proxies import BelieveProxies, CookiesUnderPath, Proxies, UnderPath
from dashboard.try_it import pages as try_pages
from dashboard.try_it import recording_api, upload_api, webcam_api
from dashboard.web import errors, guard, upload_requests
from dashboard.web.requests import BoundedJson
from runtime.settings import Settings
from runtime.vault import Vault

MAX_BODY_BYTES = 64 * 1024
BLUEPRINTS: Final = (
    pages.blueprint,
    camera_api.blueprint,
    camera_file_api.blueprint,
    find_api.blueprint,
    people_api.blueprint,
    event_api.blueprint,
    alert_api.blueprint,
    rule_api.blueprint,
    channel_api.blueprint,
    alert_pages.blueprint,
    channel_pages.blueprint,
    compliance_api.blueprint,
    audit_run_api.blueprint,
    audit_pages.blueprint,
    tally_api.blueprint,
    overview_api.blueprint,
    overview_pages.blueprint,
    report_api.blueprint,
    report_pages.blueprint,
    schedule_api.blueprint,
    schedule_pages.blueprint,
    connection_api.blueprint,
    probe_api.blueprint,
    upload_api.blueprint,
    webcam_api.blueprint,
    recording_api.blueprint,
    try_pages.blueprint,
    picture_streams.blueprint,
    wall_stream.blueprint,
    operations.blueprint,
    sign_in.blueprint,
    own_account.blueprint,
    administration.blueprint,
    audit_api.blueprint,
    document_pages.blueprint,
)
"""Views of all features."""


def create_app(
    settings: Settings,
    bus: Bus,
    vault: Vault,
    passwords: Passwords | None = None,
    losses: LossWatch | None = None,
) -> Flask:
    """Return the WSGI application. It connects to nothing until the first request.

    `vault` signs the cookies and decrypts cameras' passwords. `passwords` checks users' passwords.
    """
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.config.update(_cookies(settings, vault))
    # Keep the order of the fields, so that people can read an answer.
    app.json = BoundedJson(app)
    app.json.sort_keys = False
    app.extensions["maskwatch"] = make_services(settings, bus, vault, passwords, losses)
    guard.register(app)
    upload_requests.register(app)
    access.register(app)
    errors.register(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    name = f"{FORMER}{upload_api.blueprint.name}"
    app.register_blueprint(upload_api.blueprint, name=name, url_prefix=upload_api.FORMER_PREFIX)
    _serve_behind_proxies(app, settings)
    return app


def _serve_behind_proxies(app: Flask, settings: Settings) -> None:
    """Let `app` learn the client, the host and the path from proxies."""
    proxies = Proxies(settings.proxy_addresses)
    own = frozenset(route.rule.split("/")[1] for route in app.url_map.iter_rules())
    believing = BelieveProxies(app.wsgi_app, proxies)
    # `UnderPath` must be outside, because `BelieveProxies` replaces the proxy's address.
    app.wsgi_app = UnderPath(believing, proxies, settings.path_prefix, own)  # type: ignore[method-assign]
    app.session_interface = CookiesUnderPath()


def _cookies(settings: Settings, vault: Vault) -> dict[str, object]:
    """Return the cookie's settings: signed, hidden from scripts, for this dashboard only."""
    newest, *older = vault.derive("session cookie")
    return {
        "SECRET_KEY": newest,
        "SECRET_KEY_FALLBACKS": older,
        # Browsers share cookies between the ports of a host.
        "SESSION_COOKIE_NAME": f"maskwatch_{settings.port}",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": settings.behind_proxy,
        "SESSION_REFRESH_EACH_REQUEST": False,
        "PERMANENT_SESSION_LIFETIME": LONGEST_S,
        # `access` requires the token for every request that is authenticated by the cookie.
        "WTF_CSRF_CHECK_DEFAULT": False,
        # As long as the session, because a wall stays open all day. `guard` checks the origin.
        "WTF_CSRF_TIME_LIMIT": None,
        "WTF_CSRF_SSL_STRICT": False,
    }
