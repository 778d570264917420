"""The error that stores raise when Redis fails, for callers that do not use Redis."""

from __future__ import annotations

from redis.exceptions import RedisError

StoreError = RedisError
"""Redis cannot be reached, is not ready, or refused a command (`bus.connection.trouble`: which)."""
