"""Channels that receive alerts, and their secrets."""

from __future__ import annotations

import base64
import re
import secrets
import time
from email.headerregistry import Address
from typing import Annotated, Any, ClassVar, Final, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from contract.alerts.rules import explain
from contract.errors import AlertError
from contract.names import PLAIN_NAME

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - what every such secret begins with
SECRET_BYTES: Final = 32
MOST_RECIPIENTS: Final = 20
_HOST: Final = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$|^[0-9A-Fa-f:]+$")


def _mail_address(text: str) -> str:
    try:
        parsed = Address(addr_spec=text)
    except Exception:  # the parser of the standard library raises what it happens to meet
        parsed = None
    if parsed is None or not parsed.domain or not text.isascii() or not text.isprintable():
        raise ValueError("expected an address such as control@example.org")
    return text


MailAddress = Annotated[str, Field(max_length=254), AfterValidator(_mail_address)]


class _Channel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    id: str = Field(pattern=r"^[a-z0-9]{1,32}$")
    name: Annotated[str, Field(min_length=1, max_length=80), PLAIN_NAME]
    created_at_s: float = Field(default_factory=time.time)


class WebhookChannel(_Channel):
    """An address that receives signed JSON by POST (Standard Webhooks)."""

    SECRETS: ClassVar = ("url", "secret")

    kind: Literal["webhook"] = "webhook"
    url: str = Field(max_length=2000, repr=False)
    """Stored encrypted as a whole: many receivers put a token into the path."""
    secret: str = Field(repr=False)
    """Signing secret: `whsec_` and 32 random bytes in base64."""

    @field_validator("url")
    @classmethod
    def _web_address(cls, url: str) -> str:
        if not url.isascii() or not url.isprintable() or " " in url:
            raise ValueError("expected an address without spaces and special characters")
        try:
            parts = urlsplit(url)
            port_is_one = parts.port is None or parts.port > 0
        except ValueError:
            port_is_one = False
        if not port_is_one or parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("expected http:// or https:// with a host")
        if parts.username is not None or parts.fragment:
            raise ValueError("expected no user, password or # part; the signature says who sends")
        return url

    @property
    def shown(self) -> str:
        """Return the address as users may see it: without the path, which may contain a token."""
        parts = urlsplit(self.url)
        path = "/…" if parts.path not in {"", "/"} or parts.query else ""
        return f"{parts.scheme}://{parts.netloc}{path}"


class EmailChannel(_Channel):
    """Addresses that receive a plain message through a mail server (SMTP)."""

    SECRETS: ClassVar = ("password",)

    kind: Literal["email"] = "email"
    host: str = Field(max_length=253, description="The mail server.")
    port: int = Field(587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="`starttls` (587), `tls` from the first byte (465), or `none`."
    )
    user: str = Field("", max_length=200)
    password: str = Field("", max_length=500, repr=False)
    sender: MailAddress = Field(description="The sender's address.")
    to: tuple[MailAddress, ...] = Field(min_length=1, max_length=MOST_RECIPIENTS)

    @field_validator("host")
    @classmethod
    def _host_name(cls, host: str) -> str:
        if not _HOST.match(host):
            raise ValueError("expected a host's name or address, such as mail.example.org")
        return host

    @model_validator(mode="after")
    def _password_over_tls(self) -> EmailChannel:
        if bool(self.user) != bool(self.password):
            raise ValueError("user and password: expected both or neither")
        if self.password and self.security == "none":
            raise ValueError("a password is sent over TLS only: choose starttls or tls")
        return self

    @property
    def shown(self) -> str:
        return f"{', '.join(self.to)} through {self.host}:{self.port}"


Channel = Annotated[WebhookChannel | EmailChannel, Field(discriminator="kind")]
ChannelKind = Literal["webhook", "email"]
_ADAPTER: Final[TypeAdapter[WebhookChannel | EmailChannel]] = TypeAdapter(Channel)


def new_secret() -> str:
    """Return a new signing secret in the form of Standard Webhooks."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def make_channel(**fields: Any) -> WebhookChannel | EmailChannel:
    """Return a channel with a new id; a webhook gets its secret here.

    Raises:
        AlertError: names each field that cannot be used, never its value.
    """
    made = {"id": secrets.token_hex(6), **fields}
    if fields.get("kind") == "webhook":
        made["secret"] = new_secret()
    return _validated(made)


def changeable(kind: type[WebhookChannel | EmailChannel]) -> frozenset[str]:
    """Return the fields that users may change of channels of this kind."""
    return frozenset(kind.model_fields) - {"id", "kind", "created_at_s", "secret"}


def public(channel: WebhookChannel | EmailChannel) -> dict[str, Any]:
    """Return the channel for pages and the API, without the address' path, secret and password."""
    record = channel.model_dump(exclude=set(channel.SECRETS))
    return {**record, "shown": channel.shown}


def _validated(fields: dict[str, Any]) -> WebhookChannel | EmailChannel:
    try:
        return _ADAPTER.validate_python(fields)
    except ValidationError as error:
        words = explain(error).replace("webhook.", "").replace("email.", "")
        raise AlertError(words) from None
