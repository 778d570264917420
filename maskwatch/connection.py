"""The Redis that a command on this machine means."""

from __future__ import annotations

from redis import Redis

from bus.connection.client import check_server, connect
from bus.server.embedded import EmbeddedRedis
from bus.stores.cameras import CameraRegistry
from bus.wire import check_wire
from contract.errors import SettingsError
from runtime.settings import load_settings


def connect_here() -> Redis:
    """Connect to the Redis that is set, else to the one that `maskwatch run` started here.

    Raises:
        SettingsError: there is neither.
        RedisUnavailableError: it cannot be reached or used, or newer processes use it.
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
    redis = connect(url, "maskwatch-cli")
    check_server(redis)
    check_wire(redis)
    return redis


def cameras_here() -> CameraRegistry:
    """The cameras in that Redis, with the key that this machine has for their passwords."""
    from runtime.vault import Vault  # not in a worker's image, which has this command, too

    return CameraRegistry(connect_here(), Vault(load_settings().where_the_secret_key_is))


def seal_everything() -> tuple[int, int]:
    """Encrypt what is secret in that Redis with the newest key.

    Returns the numbers of cameras and of alert channels that were encrypted anew.
    """
    from bus.stores.alert_channels import ChannelStore
    from runtime.vault import Vault

    vault = Vault(load_settings().where_the_secret_key_is)
    redis = connect_here()
    return CameraRegistry(redis, vault).seal_all(), ChannelStore(redis, vault).seal_all()
