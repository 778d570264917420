"""What stores and jobs raise when Redis or RQ fails them, for callers that do not speak Redis."""

from __future__ import annotations

from redis.exceptions import RedisError
from rq.timeouts import JobTimeoutException

StoreError = RedisError
"""Redis cannot be reached, is not ready, or refused a command (`bus.connection.trouble`: which)."""

JobTimeoutError = JobTimeoutException
"""A job took longer than it may. RQ raises it inside the job, wherever that is."""
