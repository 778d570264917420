"""Signing in and out, and the page of a one-time link."""

from __future__ import annotations

import time
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask_login import login_user, logout_user
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from bus.stores.accounts.users import User
from contract.errors import AccountError
from dashboard.accounts.access import audit, identity, public, requires
from dashboard.accounts.forms import NewPasswordForm, SignInForm
from dashboard.accounts.passwords import require_good
from dashboard.accounts.service import Accounts
from dashboard.services import services

WRONG: Final = "This name and password do not belong together."

blueprint = Blueprint("sign_in", __name__)


@blueprint.get("/sign-in")
@public
def form() -> str:
    """The sign-in page."""
    return _page(SignInForm())


@blueprint.post("/sign-in")
@public
def sign_in() -> Any:
    """Sign in with a name and a password."""
    form, address = SignInForm(), request.remote_addr or ""
    if not form.validate():
        return _page(form), 422
    accounts, name = _accounts(), str(form.name.data)
    user = accounts.check_password(name, str(form.password.data), address)
    if user is None:
        known = accounts.users.find(name)
        # Do not repeat the input: it may be a password in the wrong field.
        audit("was refused at sign-in", who=known.name if known else "an unknown account")
        form.name.data = ""
        return _page(form, WRONG), 401
    if not _begin_session(user):
        return _page(form, WRONG), 401
    return redirect(_next_page())


@blueprint.post("/sign-out")
@requires("viewer", in_person=True, action="signed out")
def sign_out() -> Response:
    """End this session."""
    _accounts().sessions.end(identity().session_token)
    logout_user()
    session.clear()
    return redirect(url_for("sign_in.form"))


@blueprint.get("/welcome/<token>")
@public
def welcome(token: str) -> str:
    # Reading does not use up the link, because mail programs and chats open links for a preview.
    """The page of a one-time link, to choose a password."""
    user = _link_user(token)
    return render_template("welcome.html", form=NewPasswordForm(), user=user, token=token)


@blueprint.post("/welcome/<token>")
@public
def set_password(token: str) -> Any:
    """Choose the password of the account that the link is for."""
    user, form, accounts = _link_user(token), NewPasswordForm(), _accounts()
    try:
        if not form.validate():
            raise AccountError("")
        require_good(str(form.password.data), user.name)
    except AccountError as error:
        words = str(error)
        page = render_template("welcome.html", form=form, user=user, token=token, message=words)
        return page, 422
    # Hash before using up the link, because hashing may be refused while others wait.
    password_hash = accounts.passwords.hash(str(form.password.data))
    if accounts.links.take(token) is None:
        raise NotFound("somebody used this link at the same moment")
    user, _ = accounts.set_password_hash(user, password_hash)
    audit("set a password by one-time link", who=user.name)
    return redirect(url_for("pages.start" if _begin_session(user) else "sign_in.form"))


def _begin_session(user: User) -> bool:
    """Sign a user in, unless their account changed while their password was checked."""
    accounts = _accounts()
    session.clear()  # nothing from before signing in is to be trusted after it
    session.permanent = True
    known = accounts.begin_session(user, request.remote_addr or "", request.user_agent.string)
    if known is None:
        return False
    accounts.users.update(user, signed_in_at_s=time.time())
    login_user(known)
    audit("signed in", who=user.name)
    return True


def _link_user(token: str) -> User:
    user_id = _accounts().links.read(token)
    user = _accounts().users.get(user_id) if user_id else None
    if user is None or not user.enabled:
        raise NotFound(
            "this link was used already, or is older than a day; ask an administrator for a new "
            "one, or run `maskwatch user link NAME`"
        )
    return user


def _next_page() -> str:
    """Return the path that the client wanted, if it is on this dashboard."""
    start, wanted = url_for("pages.start"), request.args.get("next", "")
    parts = urlsplit(wanted)
    local = wanted.startswith(start) and not wanted.startswith(("//", "/\\"))
    return wanted if local and not parts.netloc and not parts.scheme else start


def _page(form: SignInForm, message: str = "") -> str:
    return render_template(
        "sign_in.html",
        form=form,
        message=message,
        next=request.args.get("next", ""),
        nobody=_accounts().users.empty(),
    )


def _accounts() -> Accounts:
    return services().accounts
