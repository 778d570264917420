"""Controls access to views. Every view states its rule; a view without a rule refuses everybody.

    @blueprint.patch("/<camera_id>")
    @requires("operator")
    def change(camera_id): ...

If the path names a camera, the client needs the role for that camera's group, and a hidden camera
does not exist for the client. Otherwise the client needs the role for some group, and the view
checks the group concerned with `require_group`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal, Protocol, TypeVar, cast

from flask import Flask, Response, current_app, g, redirect, request, url_for
from flask_login import LoginManager, current_user
from flask_wtf.csrf import CSRFProtect
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, Unauthorized

from bus.connection.loss import Loss
from bus.errors import StoreError
from contract.accounts.grants import Role
from contract.cameras.camera import Camera
from contract.errors import CameraNotFoundError
from dashboard.accounts.admission import SIGN_IN, Admission, hold, may_see
from dashboard.accounts.identity import Identity
from dashboard.services import services
from dashboard.web.connections import connection_of
from dashboard.web.guard import SAFE_METHODS
from dashboard.web.viewer_socket import ViewerSocket

REALM: Final = "Maskwatch"
RULE: Final = "access_rule"

GoesOn = Literal["", "answer", "upload"]

View = TypeVar("View", bound=Callable[..., Any])
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rule:
    """A view's requirements for access."""

    role: Role | None
    """Least role; None for a public view."""
    everywhere: bool = False
    """Whether the role must hold for all cameras."""
    in_person: bool = False
    """Whether only signed-in people may open the view, not API keys."""
    metrics: bool = False
    """Whether a key for metrics may open the view too."""
    action: str = ""
    """The action in the audit log; by default the endpoint's name."""
    goes_on: GoesOn = ""
    """`answer`: the answer is sent in parts, or waits. `upload`: the view reads the body itself, in
    parts, and checks `admission()` meanwhile. Otherwise an answer in parts is refused."""

    def admits(self, identity: Identity, camera: Camera | None) -> bool:
        """Whether `identity` may open the view; `camera` is the one in the path."""
        if identity.metrics_only:
            return self.metrics
        if self.role is None:
            return True
        if self.in_person and identity.kind != "user":
            return False
        if self.everywhere:
            return identity.grants.allow_everywhere(self.role)
        if camera is not None and not camera.owner:
            return identity.grants.allow(self.role, camera.group)
        return identity.grants.allow_somewhere(self.role)


def public(view: View) -> View:
    """Let anybody open the view, signed in or not."""
    return _mark(view, Rule(None))


def requires(
    role: Role,
    *,
    everywhere: bool = False,
    in_person: bool = False,
    metrics: bool = False,
    action: str = "",
    goes_on: GoesOn = "",
) -> Callable[[View], View]:
    """Let only clients with `role` open the view; see `Rule`."""
    return lambda view: _mark(view, Rule(role, everywhere, in_person, metrics, action, goes_on))


def rule_of(view: Callable[..., Any]) -> Rule | None:
    """Return the rule of a view."""
    return cast(Rule | None, getattr(view, RULE, None))


def _mark(view: View, rule: Rule) -> View:
    setattr(view, RULE, rule)
    return view


def register(app: Flask) -> None:
    """Check every request to `app` with this module first."""
    logins = LoginManager()
    # Flask-Login's processor would read the user from Redis even on the page about Redis' absence.
    logins.init_app(app, add_context_processor=False)
    logins.session_protection = None  # a session is in Redis, and phones change their address
    logins.user_loader(lambda token: services().accounts.by_session(token))
    logins.request_loader(_by_authorization)
    CSRFProtect(app)
    app.view_functions["static"] = public(app.view_functions["static"])
    app.before_request(_authorise)
    # Hooks after a request run in reverse order, so a change is logged even if its answer is held.
    app.after_request(_hold)
    app.after_request(_note_change)
    app.context_processor(lambda: {"account": known(), "redis_loss": _redis_loss})


def _redis_loss() -> str:
    """The notice for whoever asks; none while Redis cannot be asked, which is said elsewhere."""
    asking = known()
    try:
        return loss_notice(services().losses.look(), asking) if asking else ""
    except StoreError:
        return ""


def loss_notice(loss: Loss | None, asking: Identity) -> str:
    """The notice of what Redis has lost; empty if nothing. Only administrators read what to do."""
    if loss is None:
        return ""
    administers = asking.grants.allow_everywhere("administrator")
    advice = f"{loss.words}." if administers else "Tell an administrator."
    return f"Redis has lost data: cameras, accounts or counts may be missing. {advice}"


def admission() -> Admission:
    """Return the admission of this request. Only for views that are not public."""
    return cast(Admission, g.admission)


def known() -> Identity | None:
    """Return the client's identity; None in public views."""
    return cast(Identity | None, g.get("identity"))


def identity() -> Identity:
    """Return the client's identity. Only for views that are not public."""
    found = known()
    if found is None:
        raise Unauthorized("sign in first")
    return found


class HasCamera(Protocol):
    """A record with a camera's id."""

    @property
    def camera(self) -> Camera: ...


Item = TypeVar("Item", bound=HasCamera)


def visible_cameras(cameras: Iterable[Camera]) -> list[Camera]:
    """Return the cameras that the client may see, without browsers' webcams."""
    grants = identity().grants
    return [
        camera for camera in cameras if grants.allow("viewer", camera.group) and not camera.owner
    ]


def may_change(camera: Camera) -> bool:
    """Whether the client may change a camera, and therefore see its address."""
    return identity().grants.allow("operator", camera.group)


def require_group(role: Role, group: str) -> None:
    """Raise 403 unless the client has `role` for cameras of `group`."""
    if not identity().grants.allow(role, group):
        where = f"cameras of {group!r}" if group else "cameras without a group"
        raise Forbidden(f"this needs the role {role} for {where}")


def require_camera(role: Role, camera_id: str) -> Camera:
    """Return a camera named in a request's body; raise as for a camera in the path."""
    camera = services().cameras.get(camera_id)
    if not may_see(identity(), camera):
        raise CameraNotFoundError(f"no camera has the id {camera_id!r}")
    require_group(role, camera.group)
    return camera


def audit(action: str, subject: str = "", who: str = "") -> None:
    """Write the request into the audit log; the hook then does not log it again."""
    g.audited = True
    asking = known()
    services().accounts.audit.write(
        who or (asking.label if asking else "nobody"), action, subject, request.remote_addr or ""
    )


def audit_change(
    action: str, name: str, asked: Iterable[str], before: object, after: object
) -> None:
    """Log the changed fields; log nothing without a change."""
    changed = [one for one in sorted(asked) if getattr(before, one) != getattr(after, one)]
    if changed:
        audit(action, f"{name}: {', '.join(changed)}")
    else:
        audit_is_done()


def audit_is_done() -> None:
    """Leave this request out of the audit log, because its action is already there."""
    g.audited = True


def note_watching(cameras: Iterable[Camera]) -> None:
    """Log that the client begins to watch these cameras, unless it did so a moment ago."""
    log, asking = services().accounts.audit, identity()
    fresh = [c.name for c in cameras if log.first_time(f"{asking.kind}:{asking.id}", c.id)]
    if fresh:
        audit("watched", ", ".join(fresh))


def _by_authorization(_: object) -> Identity | None:
    text = _key_sent()
    return services().accounts.by_key(text) if text else None


def _key_sent() -> str | None:
    """Return the API key from a bearer token, or from the password of HTTP's basic scheme."""
    given = request.authorization
    if given is None:
        return None
    return given.token if given.type == "bearer" else given.password


def _authorise() -> Response | None:
    view = current_app.view_functions.get(request.endpoint or "")
    rule = rule_of(view) if view else Rule("viewer")
    if rule is None:
        _log.error("%s has no rule of who may open it, so nobody may", request.endpoint)
        raise Forbidden("nobody may open this")
    unsafe = request.method not in SAFE_METHODS
    if rule.role is None:
        if unsafe:
            _protect()
        return None
    asking = _identify()
    if asking is None:
        return _ask_to_sign_in()
    g.identity = asking
    if connection := connection_of(request.environ):
        connection.belongs_to(f"{asking.kind}:{asking.id}")
    if unsafe and asking.kind == "user":
        _protect()
    g.admission = _admission(asking, rule)
    g.admission.require(asking)
    if unsafe and rule.goes_on != "upload":
        # A slow client may have lost its rights before the whole body arrived.
        request.get_data(parse_form_data=True)
        g.admission.recheck()
    g.identity = g.admission.identity
    return None


def _admission(asking: Identity, rule: Rule) -> Admission:
    accounts, key = services().accounts, _key_sent()
    who = partial(accounts.by_key, key or "")
    if asking.kind == "user":
        who = partial(accounts.by_session, asking.session_token)
    camera_id = (request.view_args or {}).get("camera_id")
    return Admission(who, rule, services().cameras, services().roster, camera_id)


def _hold(response: Response) -> Response:
    """Check a long or delayed answer again before it is sent."""
    allowed = cast(Admission | None, g.get("admission"))
    rule = rule_of(current_app.view_functions.get(request.endpoint or "", _hold))
    if allowed is None or rule is None or response.status_code >= 400:
        return response
    try:
        if not response.is_streamed:
            if rule.goes_on or request.method in SAFE_METHODS:
                allowed.recheck()
        elif rule.goes_on == "answer":
            hold(response, allowed, ViewerSocket(request.environ))
        else:
            _log.error("%s answers in parts and does not say goes_on", request.endpoint)
            raise Forbidden("nobody may open this")
    except Exception as error:  # as anywhere in a view
        response.close()
        return current_app.make_response(current_app.handle_user_exception(error))
    return response


def _identify() -> Identity | None:
    # An API key takes precedence, even from a browser with a session.
    if request.authorization is not None:
        return _by_authorization(request)
    return current_user._get_current_object() if current_user.is_authenticated else None


def _protect() -> None:
    extension: CSRFProtect = current_app.extensions["csrf"]
    extension.protect()


def _ask_to_sign_in() -> Response:
    page = request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"
    if page and request.method == "GET" and not request.path.startswith("/api/"):
        return cast(Response, redirect(url_for("sign_in.form", next=_where_it_was_going())))
    raise Unauthorized(SIGN_IN, www_authenticate=_challenge())


def _where_it_was_going() -> str:
    """Return the requested page, with the path under which a proxy serves the dashboard."""
    return (request.script_root + request.full_path).rstrip("?")


def _challenge() -> WWWAuthenticate:
    """Ask players such as VLC for the basic scheme, but not pages, where browsers open a window."""
    from_page = "Sec-Fetch-Mode" in request.headers or bool(request.cookies)
    return WWWAuthenticate("bearer" if from_page else "basic", {"realm": REALM})


def _note_change(response: Response) -> Response:
    changed = request.method not in SAFE_METHODS and response.status_code < 400
    if changed and known() is not None and not g.get("audited"):
        view = current_app.view_functions.get(request.endpoint or "")
        rule = rule_of(view) if view else None
        action = (rule.action if rule else "") or f"{request.method} {request.endpoint}"
        audit(action, ", ".join(map(str, (request.view_args or {}).values())))
    return response
