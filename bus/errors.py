"""What stores raise when Redis fails them, for callers that do not speak Redis."""

from __future__ import annotations

from redis.exceptions import RedisError

StoreError = RedisError
"""Redis cannot be reached, is not ready, or refused a command (`bus.connection.trouble`: which)."""
