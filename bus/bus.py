"""One process's way to Redis, and the stores on it."""

from __future__ import annotations

from functools import cached_property

from redis import Redis

from bus.connection.client import connect
from bus.members import Membership
from bus.stores.alert_channels import ChannelStore
from bus.stores.alert_deliveries import DeliveryStore
from bus.stores.alert_rules import AlertRuleStore
from bus.stores.alerts import AlertStore
from bus.stores.cameras import CameraRegistry
from bus.stores.status import StatusStore
from bus.stores.uploads import UploadStore
from runtime.settings import Settings
from runtime.vault import Vault


class Bus:
    """Every store over one client of Redis.

    A process opens one at its start and hands each part the stores that it needs; no part is handed
    the bus itself, or a client. A property is the same store each time, and safe to share between
    threads unless the store says otherwise; a method makes a new one.
    """

    def __init__(self, redis: Redis, vault: Vault | None = None) -> None:
        """`vault`: opens what is encrypted. Without it, secrets stay hidden."""
        self._redis = redis
        self._vault = vault

    @classmethod
    def open(cls, settings: Settings, name: str, vault: Vault | None = None) -> Bus:
        """Return a bus over the Redis of the settings; nothing is sent before the first command.

        `name` is what Redis lists the connection as.

        Raises:
            SettingsError: no Redis is named.
        """
        return cls(connect(settings.require_redis_url(), name), vault)

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()

    @cached_property
    def cameras(self) -> CameraRegistry:
        return CameraRegistry(self._redis, self._vault)

    @cached_property
    def statuses(self) -> StatusStore:
        return StatusStore(self._redis)

    @cached_property
    def uploads(self) -> UploadStore:
        return UploadStore(self._redis)

    @cached_property
    def alerts(self) -> AlertStore:
        return AlertStore(self._redis)

    @cached_property
    def alert_rules(self) -> AlertRuleStore:
        return AlertRuleStore(self._redis)

    @cached_property
    def alert_deliveries(self) -> DeliveryStore:
        return DeliveryStore(self._redis)

    @cached_property
    def alert_channels(self) -> ChannelStore:
        """Needs a vault."""
        if self._vault is None:
            raise ValueError("channels have secrets: open the bus with a vault")
        return ChannelStore(self._redis, self._vault)

    def members(self, role: str, lease_s: float) -> Membership:
        """The living processes of a role."""
        return Membership(self._redis, role, lease_s)
