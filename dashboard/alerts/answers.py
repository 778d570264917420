"""Requests and answers of the API about alerts."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel, create_model

from contract.alerts.alerts import AlertRecord
from contract.alerts.attempts import Attempt
from contract.alerts.channels import EmailChannel, WebhookChannel, changeable
from contract.alerts.rules import RULE_CHANGEABLE, AlertRule
from dashboard.web.schemas import request_for

AlertState = Literal["open", "closed"]


class AlertsQuery(BaseModel):
    """Selects alerts."""

    state: AlertState = Field("open", description="Open or resolved (`closed`) alerts.")
    limit: int = Field(100, ge=1, le=1000, description="Most resolved alerts.")


class AlertsAnswer(BaseModel):
    """Alerts, newest first, and whether a process evaluates the rules."""

    alerts: list[AlertRecord]
    evaluated_at_s: float | None = Field(description="When rules were last evaluated.")
    evaluated: bool = Field(description="False: no alerts process runs, so no alert can open.")


class RuleAnswer(AlertRule):
    """A rule, its meaning in words, and whether you may change it."""

    words: str
    may_change: bool


class RulesAnswer(BaseModel):
    """Rules by name."""

    rules: list[RuleAnswer]


_RULE_FIELDS: Final = {
    name: field for name, field in AlertRule.model_fields.items() if name in RULE_CHANGEABLE
}
NewRule = request_for("NewRule", "A rule to make.", _RULE_FIELDS, frozenset({"name", "when"}))
RuleChange = request_for("RuleChange", "Fields to change; the others stay.", _RULE_FIELDS)


class ChannelAnswer(BaseModel):
    """A channel without its secrets. Only administrators of all cameras see more than its name."""

    id: str
    kind: Literal["webhook", "email"]
    name: str
    created_at_s: float
    shown: str | None = Field(
        description="The receiver, without a path, which may contain a token."
    )
    host: str | None = None
    port: int | None = None
    security: str | None = None
    user: str | None = None
    sender: str | None = None
    to: list[str] | None = None


class ChannelMade(ChannelAnswer):
    """A new channel. Only this answer contains a webhook's secret."""

    secret: str | None = Field(
        description="Key that signs messages (Standard Webhooks); null for e-mail."
    )


class ChannelsAnswer(BaseModel):
    """Channels by name."""

    channels: list[ChannelAnswer]


class SecretAnswer(BaseModel):
    """A new signing secret; the old one no longer works."""

    secret: str


def _channel_request(record: type[BaseModel], name: str, left_out: set[str]) -> type[BaseModel]:
    fields: dict[str, Any] = {
        field_name: (field.rebuild_annotation(), field)
        for field_name, field in record.model_fields.items()
        if field_name not in {"id", "created_at_s", *left_out}
    }
    fields["kind"] = (record.model_fields["kind"].annotation, ...)
    return create_model(name, __config__=ConfigDict(extra="forbid"), **fields)


NewWebhook: Any = _channel_request(WebhookChannel, "NewWebhook", {"secret"})
NewEmail: Any = _channel_request(EmailChannel, "NewEmail", set())


class NewChannel(RootModel[Annotated[NewWebhook | NewEmail, Field(discriminator="kind")]]):
    """A channel to create, of one of these kinds."""


ChannelChange = request_for(
    "ChannelChange",
    "Fields to change; the others stay. Webhooks have `url`, e-mail has the fields after it.",
    {
        name: field
        for record in (WebhookChannel, EmailChannel)
        for name, field in record.model_fields.items()
        if name in changeable(record)
    },
)


class TestAnswer(BaseModel):
    """The outcome of a test message."""

    delivery_id: str
    outcome: Literal["delivered", "given_up", "waiting"]
    words: str


class DeliveriesQuery(BaseModel):
    """Selects attempts."""

    limit: int = Field(100, ge=1, le=500)
    before: str | None = Field(
        None, pattern=r"^\d{1,19}-\d{1,19}$", description="Only attempts before this row's id."
    )


class AttemptAnswer(Attempt):
    """One attempt to deliver a message."""

    id: str = Field(description="Id of the row.")


class DeliveriesAnswer(BaseModel):
    """Attempts, newest first. Only administrators of all cameras see test messages."""

    deliveries: list[AttemptAnswer]
    before: str | None = Field(
        description="Send it as `before` for the next page; null on the last."
    )
