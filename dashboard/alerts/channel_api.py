"""Alert channels as JSON. Only the answer to creating a channel contains its secret."""

from __future__ import annotations

import time
from typing import Any, Final

from flask import Blueprint, url_for
from werkzeug.exceptions import NotFound

from bus.stores.alert_rules import refuse_unknown
from contract.alerts.channels import (
    EmailChannel,
    WebhookChannel,
    changeable,
    make_channel,
    new_secret,
    public,
)
from contract.errors import AlertError
from dashboard.accounts.access import audit, audit_change, identity, requires
from dashboard.alerts.answers import (
    ChannelAnswer,
    ChannelChange,
    ChannelMade,
    ChannelsAnswer,
    NewChannel,
    NewEmail,
    NewWebhook,
    SecretAnswer,
    TestAnswer,
)
from dashboard.services import services
from dashboard.web.answering import Answer, answers
from dashboard.web.requests import json_object

AnyChannel = WebhookChannel | EmailChannel
TEST_WAIT_S: Final = 20.0
LOOK_EVERY_S: Final = 0.2
MAKEABLE: Final = {
    "webhook": frozenset(NewWebhook.model_fields),
    "email": frozenset(NewEmail.model_fields),
}

blueprint = Blueprint("channel_api", __name__, url_prefix="/api/v1/alerts/channels")
administrators = requires("administrator", everywhere=True)


@blueprint.get("")
@requires("operator")
@answers()
def channels() -> ChannelsAnswer:
    """Return the channels by name. Only administrators of all cameras see the addresses."""
    return ChannelsAnswer(channels=[_answer(one) for one in services().channels.all()])


@blueprint.post("")
@administrators
@answers(201, body=NewChannel)
def add() -> Answer[ChannelMade]:
    """Create a channel. Only this answer contains a webhook's signing secret."""
    channel = keep_new_channel(json_object())
    secret = channel.secret if isinstance(channel, WebhookChannel) else None
    where = url_for("channel_api.channel", channel_id=channel.id)
    return Answer(ChannelMade(**dict(_answer(channel)), secret=secret), headers={"Location": where})


@blueprint.get("/<channel_id>")
@requires("operator")
@answers()
def channel(channel_id: str) -> ChannelAnswer:
    """Return a channel."""
    return _answer(find_channel(channel_id))


@blueprint.patch("/<channel_id>")
@administrators
@answers(body=ChannelChange)
def change(channel_id: str) -> ChannelAnswer:
    """Change fields of a channel. A new mail server needs its password again."""
    return _answer(change_channel(find_channel(channel_id), json_object()))


@blueprint.delete("/<channel_id>")
@administrators
@answers()
def remove(channel_id: str) -> None:
    """Remove a channel, and discard the messages that wait for it."""
    remove_channel(find_channel(channel_id))


@blueprint.post("/<channel_id>/secret")
@administrators
@answers()
def renew_secret(channel_id: str) -> SecretAnswer:
    """Replace a webhook's signing secret; the current secret stops working at once."""
    return SecretAnswer(secret=new_secret_of(find_channel(channel_id)))


@blueprint.post("/<channel_id>/test")
@administrators
@answers(also={202: "No alerts process has taken the message yet."})
def test(channel_id: str) -> Answer[TestAnswer]:
    """Send a test message as alerts are sent, and return the outcome."""
    found = test_channel(find_channel(channel_id))
    return Answer(found, 202 if found.outcome == "waiting" else 200)


def find_channel(channel_id: str) -> AnyChannel:
    """Return a channel; raise 404 if there is none."""
    found = services().channels.get(channel_id)
    if found is None:
        raise NotFound("no channel has this id")
    return found


def keep_new_channel(fields: dict[str, Any]) -> AnyChannel:
    """Save a channel made of `fields`; raises `AlertError`."""
    kind = str(fields.get("kind"))
    if kind not in MAKEABLE:
        raise AlertError("kind: expected webhook or email")
    refuse_unknown(fields, MAKEABLE[kind])
    made = make_channel(**fields)
    services().channels.add(made)
    audit("made an alert channel", f"{made.name}: {made.shown}")
    return made


def change_channel(before: AnyChannel, changes: dict[str, Any]) -> AnyChannel:
    """Change a channel; raises `AlertError`."""
    refuse_unknown(changes, changeable(type(before)))
    after = services().channels.update(before, **changes)
    audit_change("changed an alert channel", after.name, changes, before, after)
    return after


def remove_channel(channel: AnyChannel) -> None:
    """Remove a channel, also from the rules that use it."""
    for rule in services().rules.all():
        if channel.id in rule.channels:
            left = tuple(one for one in rule.channels if one != channel.id)
            services().rules.update(rule, channels=left)
    services().channels.remove(channel.id)
    audit("removed an alert channel", channel.name)


def new_secret_of(channel: AnyChannel) -> str:
    """Give a webhook a new secret and return it; raises `AlertError` for e-mail, which has none."""
    if not isinstance(channel, WebhookChannel):
        raise AlertError("secret: only webhooks have one")
    secret = new_secret()
    services().channels.update(channel, secret=secret)
    audit("made a new secret for an alert channel", channel.name)
    return secret


def test_channel(channel: AnyChannel) -> TestAnswer:
    """Send a test message and wait a moment for the outcome."""
    audit("tested an alert channel", channel.name)
    deliveries = services().deliveries
    sent, until = deliveries.start_test(channel.id), time.monotonic() + TEST_WAIT_S
    while time.monotonic() < until:
        if (found := deliveries.outcome_of(sent.id)) is not None:
            outcome = "delivered" if found.outcome == "delivered" else "given_up"
            return TestAnswer(delivery_id=sent.id, outcome=outcome, words=found.words)
        time.sleep(LOOK_EVERY_S)
    words = (
        "No alerts process has taken it yet. Start one with `maskwatch alerts`, then see the log."
    )
    return TestAnswer(delivery_id=sent.id, outcome="waiting", words=words)


def _answer(channel: AnyChannel) -> ChannelAnswer:
    record = public(channel)
    if not identity().grants.allow_everywhere("administrator"):
        kept = ("id", "kind", "name", "created_at_s")
        record = {name: record[name] for name in kept} | {"shown": None}
    return ChannelAnswer.model_validate(record)
