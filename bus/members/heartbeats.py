"""Asks which processes of a role are alive, for callers that need nothing else from Redis.

A health check runs every few seconds: it has no time to load every store with `bus.bus`.
"""

from __future__ import annotations

from redis.exceptions import RedisError

from bus.connection.client import connect, explain
from bus.members.members import Membership
from runtime.settings import Settings


def living_members(settings: Settings, role: str, client_name: str) -> set[str]:
    """Return the names of the members of `role` that are alive, over a connection of its own.

    Raises:
        SettingsError: no Redis is configured.
        RedisUnavailableError: Redis does not answer; says why.
    """
    redis = connect(settings.require_redis_url(), client_name)
    try:
        return set(Membership(redis, role, settings.lease_s).live())
    except RedisError as error:
        raise explain(error, redis) from error
    finally:
        redis.close()
