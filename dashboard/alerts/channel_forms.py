"""The forms of alert channels."""

from __future__ import annotations

import re
from typing import Any, Final

from flask_wtf import FlaskForm
from wtforms import IntegerField, PasswordField, SelectChoice, SelectField, StringField
from wtforms.validators import InputRequired, Length, NumberRange

from contract.alerts.channels import EmailChannel, WebhookChannel

_NAME: Final = [InputRequired("Give the channel a name."), Length(max=80)]


class WebhookForm(FlaskForm):  # type: ignore[misc]
    """A webhook. The saved address is not shown again."""

    name = StringField("Name", _NAME)
    url = StringField(
        "Address",
        [Length(max=2000)],
        description="http:// or https://; gets signed JSON by POST. What follows the host is not "
        "shown again.",
    )
    shown = ("name", "url")

    def fields(self) -> dict[str, Any]:
        """Return the form's fields, without an empty address."""
        return {"name": self.name.data} | ({"url": self.url.data} if self.url.data else {})

    def show(self, channel: WebhookChannel | EmailChannel) -> None:
        """Fill in a channel."""
        self.name.data = channel.name
        self.url.description = f"{channel.shown} is saved. Leave empty to keep it."


class EmailForm(FlaskForm):  # type: ignore[misc]
    """E-mail through a mail server. The saved password is not shown again."""

    name = StringField("Name", _NAME)
    host = StringField("Mail server", [InputRequired("Enter a mail server."), Length(max=253)])
    port = IntegerField(
        "Port", [InputRequired("Enter a port."), NumberRange(1, 65535)], default=587
    )
    security = SelectField(
        "Encryption",
        choices=[
            SelectChoice("starttls", "STARTTLS (587)"),
            SelectChoice("tls", "TLS (465)"),
            SelectChoice("none", "none: on a network of your own, without password"),
        ],
    )
    user = StringField("User", [Length(max=200)], description="Optional.")
    password = PasswordField("Password", [Length(max=500)], description="Not shown again.")
    sender = StringField("From", [InputRequired("Enter an address."), Length(max=254)])
    to = StringField(
        "To",
        [InputRequired("To whom?"), Length(max=5000)],
        description="Addresses, separated by commas.",
    )
    shown = ("name", "host", "port", "security", "user", "password", "sender", "to")

    def fields(self) -> dict[str, Any]:
        """Return the form's fields, without an empty password if there is a user."""
        names = ("name", "host", "port", "security", "user", "sender")
        given = {name: self[name].data for name in names}
        given["to"] = tuple(filter(None, re.split(r"[,;\s]+", str(self.to.data))))
        if self.password.data or not self.user.data:
            given["password"] = self.password.data or ""
        return given

    def show(self, channel: WebhookChannel | EmailChannel) -> None:
        """Fill in a channel."""
        if isinstance(channel, EmailChannel):
            for name in ("name", "host", "port", "security", "user", "sender"):
                self[name].data = getattr(channel, name)
            self.to.data = ", ".join(channel.to)
            if channel.password:
                self.password.description = "One is saved. Leave empty to keep it."


FORMS: Final[dict[str, type[WebhookForm] | type[EmailForm]]] = {
    "webhook": WebhookForm,
    "email": EmailForm,
}
