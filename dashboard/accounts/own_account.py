"""The page about your own account: password and sessions."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from bus.stores.accounts.tokens import digest
from bus.stores.accounts.users import User
from contract.errors import AccountError, BusyError, TooManyAttemptsError
from dashboard.accounts.access import audit, identity, requires
from dashboard.accounts.forms import ChangePasswordForm, PlainForm
from dashboard.services import services
from dashboard.web.errors import come_back

blueprint = Blueprint("own_account", __name__, url_prefix="/account")


@blueprint.get("")
@requires("viewer", in_person=True)
def show() -> str:
    """The page of your own account."""
    return _page(ChangePasswordForm())


@blueprint.post("")
@requires("viewer", in_person=True)
def change_password() -> Any:
    """Change your own password."""
    form, accounts, user = ChangePasswordForm(), services().accounts, _user()
    if not form.validate():
        return _page(form), 422
    address = request.remote_addr or ""
    try:
        right = accounts.check_password(user.name, str(form.current.data), address)
    except (TooManyAttemptsError, BusyError) as error:
        form.current.errors = [str(error)]
        return _page(form), *come_back(error)
    if right is None:
        audit("gave a wrong password for their own", user.name)
        form.current.errors = ["This is not your password."]
        return _page(form), 422
    try:
        _, ended = accounts.set_password(
            user, str(form.password.data), keep=identity().session_token
        )
    except AccountError as error:
        form.password.errors = [str(error).removeprefix("password: ")]
        return _page(form), 422
    audit("changed their password", user.name)
    flash(f"Your password is changed. {ended} other browsers were signed out.")
    return redirect(url_for("own_account.show"))


@blueprint.post("/sign-out-everywhere")
@requires("viewer", in_person=True, action="signed out everywhere")
def sign_out_everywhere() -> Response:
    """End all your sessions."""
    ended = services().accounts.sessions.end_all(identity().id, but=identity().session_token)
    flash(f"{ended} other browsers were signed out.")
    return redirect(url_for("own_account.show"))


def _user() -> User:
    user = services().accounts.users.get(identity().id)
    if user is None:
        raise NotFound("this account is gone")
    return user


def _page(form: ChangePasswordForm) -> str:
    return render_template(
        "account.html",
        form=form,
        button=PlainForm(),
        user=_user(),
        sessions=services().accounts.sessions.of_user(identity().id),
        this_session=digest(identity().session_token),
    )
