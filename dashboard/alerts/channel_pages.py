"""The pages on which administrators manage and test channels."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from contract.alerts.channels import WebhookChannel
from contract.errors import AlertError
from dashboard.accounts.access import requires
from dashboard.accounts.forms import PlainForm
from dashboard.alerts.channel_api import (
    AnyChannel,
    change_channel,
    find_channel,
    keep_new_channel,
    new_secret_of,
    remove_channel,
    test_channel,
)
from dashboard.alerts.channel_forms import FORMS
from dashboard.losses import amount, ask_first, named
from dashboard.services import services

blueprint = Blueprint("channel_pages", __name__, url_prefix="/alerts/channels")
only_administrators = requires("administrator", everywhere=True, in_person=True)


@blueprint.get("")
@only_administrators
def channels() -> str:
    """The page of channels."""
    return _list()


@blueprint.get("/new")
@only_administrators
def new() -> str:
    """The page for a new channel."""
    return _page(FORMS[_asked_kind()](), None)


@blueprint.post("/new")
@only_administrators
def add() -> Any:
    """Create a channel."""
    kind = _asked_kind()
    form = FORMS[kind]()
    if not form.validate():
        return _page(form, None), 422
    try:
        made = keep_new_channel({"kind": kind, **form.fields()})
    except AlertError as error:
        return _page(form, None, str(error)), 422
    # Only this answer contains the secret. Flashed messages would travel in the browser's cookie.
    return _list(made, made.secret if isinstance(made, WebhookChannel) else "")


@blueprint.get("/<channel_id>")
@only_administrators
def channel(channel_id: str) -> str:
    """The page of one channel."""
    found = find_channel(channel_id)
    form = FORMS[found.kind](formdata=None)
    form.show(found)
    return _page(form, found)


@blueprint.post("/<channel_id>")
@only_administrators
def save(channel_id: str) -> Any:
    """Change a channel."""
    found = find_channel(channel_id)
    form = FORMS[found.kind]()
    if not form.validate():
        return _page(form, found), 422
    given = form.fields()
    changes = {name: value for name, value in given.items() if getattr(found, name) != value}
    try:
        changed = change_channel(found, changes)
    except AlertError as error:
        return _page(form, found, str(error)), 422
    flash(f"{changed.name} is saved.")
    return redirect(url_for("channel_pages.channels"))


@blueprint.post("/<channel_id>/test")
@only_administrators
def test(channel_id: str) -> Response:
    """Send a test message to a channel."""
    found = find_channel(channel_id)
    result = test_channel(found)
    flash(f"Test of {found.name}: {result.words}", "good" if result.outcome == "delivered" else "")
    return redirect(url_for("channel_pages.channels"))


@blueprint.post("/<channel_id>/secret")
@only_administrators
def secret(channel_id: str) -> Any:
    """Give a webhook a new signing secret after the page has named the consequences."""
    found = find_channel(channel_id)
    lost = ["The current secret: receivers refuse every message until they have the new one."]
    title, back = f"Replace the secret of {found.name}?", url_for("channel_pages.channels")
    if page := ask_first(title, lost, "Replace the secret", back):
        return page
    try:
        return _list(found, new_secret_of(found))
    except AlertError as error:
        return _list(message=str(error)), 422


@blueprint.post("/<channel_id>/remove")
@only_administrators
def remove(channel_id: str) -> Any:
    """Remove a channel after the page has named the rules that use it."""
    found = find_channel(channel_id)
    title, back = f"Remove the channel {found.name}?", url_for("channel_pages.channels")
    if page := ask_first(title, _lost_with(found), "Remove channel", back):
        return page
    remove_channel(found)
    flash(f"{found.name} is removed.")
    return redirect(url_for("channel_pages.channels"))


def _lost_with(channel: AnyChannel) -> list[str]:
    told = [rule.name for rule in services().rules.all() if channel.id in rule.channels]
    lost = [f"The channel itself, with its address: {channel.shown}.", "Messages still waiting."]
    if told:
        lost.append(f"Messages of {amount(len(told), 'rule')}: {named(told)}.")
    reports = [one.name for one in services().schedules.all() if one.channel_id == channel.id]
    if reports:
        lost.append(f"The mail server of {amount(len(reports), 'report')}: {named(reports)}.")
    return lost


def _asked_kind() -> str:
    kind = request.args.get("kind", "webhook")
    if kind not in FORMS:
        raise NotFound("there is no such kind of channel")
    return kind


def _list(made: AnyChannel | None = None, secret: str = "", message: str = "") -> str:
    return render_template(
        "alert_channels.html",
        channels=services().channels.all(),
        button=PlainForm(formdata=None),
        made=made,
        secret=secret,
        message=message,
    )


def _page(form: Any, channel: AnyChannel | None, message: str = "") -> str:
    kind = channel.kind if channel else _asked_kind()
    return render_template(
        "alert_channel.html",
        form=form,
        channel=channel,
        kind=kind,
        message=message,
        button=PlainForm(formdata=None),
    )
