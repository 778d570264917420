"""Finds the Redis that a command on this machine uses."""

from __future__ import annotations

from bus.bus import Bus
from bus.server.embedded import EmbeddedRedis
from bus.stores.cameras import CameraRegistry
from contract.errors import SettingsError
from runtime.settings import load_settings
from runtime.vault import Vault


def bus_here(vault: Vault | None = None) -> Bus:
    """Open the configured Redis, or else the one that `maskwatch run` started on this machine.

    Raises:
        SettingsError: neither exists.
        RedisUnavailableError: Redis cannot be reached or used, or newer processes use it.
    """
    settings = load_settings()
    if settings.redis_url is not None:
        url = settings.require_redis_url()
    else:
        server = EmbeddedRedis(settings.state_dir / "redis")
        if not server.socket_path.exists():
            raise SettingsError(
                "no Redis: `maskwatch run` is not running with this state folder, and "
                "MASKWATCH_REDIS_URL is not set"
            )
        url = server.url
    bus = Bus.at(url, "maskwatch-cli", vault)
    bus.server.check()
    bus.server.refuse_newer()
    return bus


def cameras_here() -> CameraRegistry:
    """Return the registry of cameras, which decrypts passwords with this machine's key file."""
    return _unlocked().cameras


def seal_everything() -> tuple[int, int]:
    """Encrypt all secrets in Redis with the newest key.

    Returns the numbers of cameras and of alert channels whose secrets were encrypted again.
    """
    bus = _unlocked()
    return bus.cameras.seal_all(), bus.alert_channels.seal_all()


def _unlocked() -> Bus:
    return bus_here(Vault(load_settings().where_the_secret_key_is))
