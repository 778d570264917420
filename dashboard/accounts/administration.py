"""The administrators' pages: accounts, API keys and the audit log."""

from __future__ import annotations

import time
from math import ceil
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from bus.errors import StoreError
from bus.stores.accounts.api_keys import ApiKey
from bus.stores.accounts.users import User
from contract.errors import AccountError
from dashboard.accounts.access import audit, audit_is_done, identity, requires
from dashboard.accounts.forms import (
    GrantsForm,
    KeyForm,
    PlainForm,
    UserChangeForm,
    UserForm,
    with_groups,
)
from dashboard.accounts.service import Accounts
from dashboard.losses import amount, ask_first
from dashboard.services import services
from dashboard.web.moments import moment
from dashboard.web.requests import entries_before

AUDIT_PAGE: Final = 200
DAY_S: Final = 86400
WARN_DAYS: Final = 14
"""How long before it ends a key is warned of on every page of an administrator."""

blueprint = Blueprint("administration", __name__, url_prefix="/settings")
only_administrators = requires("administrator", everywhere=True, in_person=True)


@blueprint.get("/users")
@only_administrators
def users() -> str:
    """The page of accounts."""
    return _users_page(_form(UserForm))


@blueprint.post("/users")
@only_administrators
def add_user() -> Any:
    """Create an account, and show the link to choose its password."""
    form = _form(UserForm)
    if not form.validate():
        return _users_page(form), 422
    try:
        user = _accounts().users.add(str(form.name.data), form.grants())
    except AccountError as error:
        return _users_page(form, str(error)), 422
    audit("made an account", user.name)
    # Only this answer contains the link. Flashed messages would travel in the browser's cookie.
    return _users_page(_form(UserForm, blank=True), link=_new_link(user), linked=user)


@blueprint.get("/users/<user_id>")
@only_administrators
def user(user_id: str) -> str:
    """The page of one account."""
    found = _user(user_id)
    form = _form(UserChangeForm, blank=True, groups_of=found.grants)
    form.show(found.grants)
    form.enabled.data = found.enabled
    return _user_page(found, form)


@blueprint.post("/users/<user_id>")
@only_administrators
def change_user(user_id: str) -> Any:
    """Change an account's roles, or disable it."""
    found = _user(user_id)
    form = _form(UserChangeForm, groups_of=found.grants)
    if not form.validate():
        return _user_page(found, form), 422
    try:
        changed = _accounts().change(found, grants=form.grants(), enabled=bool(form.enabled.data))
    except AccountError as error:
        return _user_page(found, form, str(error)), 422
    words = changed.may().words() if changed.enabled else "disabled"
    if changed != found:
        audit("changed an account", f"{changed.name}: {words}")
    else:
        audit_is_done()
    flash(f"{changed.name}: {words}.")
    return redirect(url_for("administration.users"))


@blueprint.post("/users/<user_id>/link")
@only_administrators
def link(user_id: str) -> str:
    """Create a one-time link for a new password."""
    found = _user(user_id)
    audit("made a one-time link", found.name)
    return _users_page(_form(UserForm, blank=True), link=_new_link(found), linked=found)


@blueprint.post("/users/<user_id>/sign-out")
@only_administrators
def sign_out_user(user_id: str) -> Response:
    """End all sessions of an account."""
    found = _user(user_id)
    ended = _accounts().sessions.end_all(found.id)
    audit("signed somebody out everywhere", found.name)
    flash(f"{found.name} is signed out of {ended} browsers.")
    return redirect(url_for("administration.users"))


@blueprint.post("/users/<user_id>/remove")
@only_administrators
def remove_user(user_id: str) -> Any:
    """Remove an account after the page has named the losses."""
    found = _user(user_id)
    sessions = len(_accounts().sessions.of_user(found.id))
    lost = [f"The account and its roles: {found.may().words() or 'none'}."]
    if sessions:
        lost.append(f"{amount(sessions, 'session')}, ended at once, live pictures included.")
    back = url_for("administration.users")
    if page := ask_first(f"Remove the account {found.name}?", lost, "Remove account", back):
        return page
    try:
        _accounts().remove(found)
    except AccountError as error:
        return _users_page(_form(UserForm, blank=True), str(error)), 422
    audit("removed an account", found.name)
    flash(f"{found.name} is removed.")
    return redirect(url_for("administration.users"))


@blueprint.get("/keys")
@only_administrators
def api_keys() -> str:
    """The page of API keys."""
    return _keys_page(_form(KeyForm))


@blueprint.post("/keys")
@only_administrators
def add_api_key() -> Any:
    """Create an API key, and show it once."""
    form = _form(KeyForm)
    if not form.validate():
        return _keys_page(form), 422
    try:
        key, text = _accounts().api_keys.add(
            str(form.name.data),
            form.grants(),
            float(form.days.data),
            made_by=identity().name,
            metrics=form.kind.data == "metrics",
        )
    except AccountError as error:
        return _keys_page(form, str(error)), 422
    audit("made an API key", f"{key.name}: {key.may().words() or 'metrics only'}")
    return _keys_page(_form(KeyForm, blank=True), made=key, text=text)


@blueprint.post("/keys/<key_id>/remove")
@only_administrators
def remove_api_key(key_id: str) -> Any:
    """Remove an API key after the page has named its last use."""
    keys = _accounts().api_keys
    found = next((key for key in keys.all() if key.id == key_id), None)
    if found is None:
        raise NotFound("no API key has this id")
    used_s = keys.used_at_s().get(key_id)
    lost = [
        "The key itself: programs that send it are refused at once.",
        f"It was last used on {moment(used_s)}." if used_s else "It has never been used.",
    ]
    back = url_for("administration.api_keys")
    if page := ask_first(f"Remove the API key {found.name}?", lost, "Remove key", back):
        return page
    keys.remove(key_id)
    audit("removed an API key", found.name)
    flash(f"{found.name} is removed. The key no longer works.")
    return redirect(url_for("administration.api_keys"))


@blueprint.get("/audit")
@only_administrators
def audit_log() -> str:
    """The page of the audit log."""
    entries = _accounts().audit.newest(AUDIT_PAGE, entries_before(request.args.get("before")))
    return render_template("audit.html", entries=entries, more=len(entries) == AUDIT_PAGE)


def _form(
    kind: type[GrantsForm], blank: bool = False, groups_of: dict[str, Any] | None = None
) -> Any:
    """Return the form with a role for each existing group, and for the account's own groups."""
    groups = {camera.group for camera in services().cameras.all()} | set(groups_of or {})
    made = with_groups(kind, sorted(groups - {"", "*"}))
    return made(formdata=None) if blank else made()


def _users_page(
    form: UserForm, message: str = "", link: str = "", linked: User | None = None
) -> str:
    return render_template(
        "users.html",
        form=form,
        message=message,
        users=_accounts().users.all(),
        button=PlainForm(formdata=None),
        link=link,
        linked=linked,
    )


def _user_page(user: User, form: UserChangeForm, message: str = "") -> str:
    return render_template(
        "user.html", user=user, form=form, message=message, button=PlainForm(formdata=None)
    )


def _keys_page(form: KeyForm, message: str = "", made: ApiKey | None = None, text: str = "") -> str:
    return render_template(
        "keys.html",
        form=form,
        message=message,
        keys=_accounts().api_keys.all(),
        used_at_s=_accounts().api_keys.used_at_s(),
        ending={key.id: days for key, days in _ending()},
        button=PlainForm(formdata=None),
        made=made,
        text=text,
    )


@blueprint.app_context_processor
def _warnings() -> dict[str, object]:
    return {"ending_keys": _ending_keys}


def _ending_keys() -> list[tuple[ApiKey, int]]:
    """Return the keys that end soon, to those who can make others; none while Redis is away."""
    grants, in_person = identity().grants, identity().kind == "user"
    try:
        return _ending() if in_person and grants.allow_everywhere("administrator") else []
    except StoreError:
        return []


def _ending() -> list[tuple[ApiKey, int]]:
    """Return the keys that end within `WARN_DAYS`, each with the days that it has left."""
    left = [(key, key.expires_at_s - time.time()) for key in _accounts().api_keys.all()]
    return [(key, ceil(left_s / DAY_S)) for key, left_s in left if 0 < left_s <= WARN_DAYS * DAY_S]


def _new_link(user: User) -> str:
    return request.url_root.rstrip("/") + _accounts().links.create(user.id)


def _user(user_id: str) -> User:
    user = _accounts().users.get(user_id)
    if user is None:
        raise NotFound("no account has this id")
    return user


def _accounts() -> Accounts:
    return services().accounts
