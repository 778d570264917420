"""Stores the channels of alerts, with encrypted secrets."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, Final

from pydantic import (
    TypeAdapter,
    ValidationError,
)
from redis import Redis

from bus.keys import AlertKeys
from contract.alerts.channels import _ADAPTER, EmailChannel, WebhookChannel, _validated
from contract.alerts.rules import MOST_CHANNELS, explain
from contract.errors import AlertError, SecretKeyError
from contract.names import alike
from contract.plain_text import STORED
from runtime.vault import Vault

_log = logging.getLogger(__name__)


class ChannelStore:
    """The channels in Redis, with encrypted secrets."""

    def __init__(self, redis: Redis, vault: Vault) -> None:
        self._redis = redis
        self._vault = vault

    def all(self) -> list[WebhookChannel | EmailChannel]:
        """Return every channel by name; an unreadable one is logged and left out."""
        found = [
            channel
            for channel_id in _texts(self._redis.hkeys(AlertKeys.CHANNELS))
            if (channel := self.get(channel_id)) is not None
        ]
        return sorted(found, key=lambda channel: (channel.name.lower(), channel.id))

    def get(self, channel_id: str) -> WebhookChannel | EmailChannel | None:
        """Return one channel; None if it does not exist or cannot be used."""
        record = self._redis.hget(AlertKeys.CHANNELS, channel_id)
        if record is None:
            return None
        try:
            return self._opened(_RECORD.validate_json(record, context=STORED))
        except ValidationError as error:
            _log.error("the channel %s cannot be read: %s", channel_id[:32], explain(error))
        except SecretKeyError as error:
            _log.error("the channel %s cannot be used: %s", channel_id[:32], error)
        return None

    def names(self) -> dict[str, str]:
        """Return all channels' names by id, even if this process cannot decrypt them."""
        return channel_names(self._redis)

    def add(self, channel: WebhookChannel | EmailChannel) -> None:
        """Store a new channel; raise `AlertError` for a taken name, or too many channels."""
        if self._redis.hlen(AlertKeys.CHANNELS) >= MOST_CHANNELS:
            raise AlertError(f"{MOST_CHANNELS} channels exist, the maximum; remove one first")
        self._store(channel)

    def update(
        self, channel: WebhookChannel | EmailChannel, **changes: Any
    ) -> WebhookChannel | EmailChannel:
        """Change some fields; raise `AlertError` for an invalid value."""
        changed = _validated({**channel.model_dump(), **changes})
        if isinstance(changed, EmailChannel) and isinstance(channel, EmailChannel):
            moved = (changed.host, changed.port) != (channel.host, channel.port)
            if moved and changed.password and "password" not in changes:
                raise AlertError("password: enter it again; the saved one is for another server")
        self._store(changed)
        return changed

    def remove(self, channel_id: str) -> None:
        """Remove a channel and its totals; its waiting messages are dropped when they are due."""
        self._redis.hdel(AlertKeys.CHANNELS, channel_id)
        fields = _texts(self._redis.hkeys(AlertKeys.TOTALS))
        if gone := [name for name in fields if name.partition(":")[0] == channel_id]:
            self._redis.hdel(AlertKeys.TOTALS, *gone)

    def seal_all(self) -> int:
        """Encrypt every channel's secrets with the newest key; return how many channels."""
        channels = self.all()
        for channel in channels:
            self._redis.hset(AlertKeys.CHANNELS, channel.id, self._record(channel))
        return len(channels)

    def _store(self, channel: WebhookChannel | EmailChannel) -> None:
        for other_id, name in self.names().items():
            if alike(name) == alike(channel.name) and other_id != channel.id:
                raise AlertError(f"name: another channel already has the name {channel.name!r}")
        self._redis.hset(AlertKeys.CHANNELS, channel.id, self._record(channel))

    def _record(self, channel: WebhookChannel | EmailChannel) -> bytes:
        sealed = {name: self._vault.seal(getattr(channel, name)) for name in channel.SECRETS}
        return _RECORD.dump_json({**channel.model_dump(mode="json"), **sealed})

    def _opened(self, record: dict[str, Any]) -> WebhookChannel | EmailChannel:
        secret_fields = {"webhook": WebhookChannel.SECRETS, "email": EmailChannel.SECRETS}
        names = secret_fields.get(str(record.get("kind")), ())
        return _ADAPTER.validate_python(
            {**record, **{name: self._vault.open(record.get(name, "")) for name in names}}
        )


_RECORD: Final[TypeAdapter[dict[str, Any]]] = TypeAdapter(dict[str, Any])


def channel_names(redis: Redis) -> dict[str, str]:
    """Return all channels' names by id. Needs no key."""
    records = redis.hgetall(AlertKeys.CHANNELS)
    names = [_name(raw) for raw in records.values()]
    return dict(zip(_texts(records), names, strict=True))


def _name(raw: bytes | str) -> str:
    try:
        return str(_RECORD.validate_json(raw)["name"])
    except (KeyError, ValidationError):
        return "a channel that cannot be read"


def _texts(names: Iterable[bytes | str]) -> list[str]:
    return [name.decode() if isinstance(name, bytes) else name for name in names]
