"""A dashboard as people start it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis

from tests.integration.test_dashboard_hub import eventually
from tests.integration.test_dashboard_server import Server


@pytest.fixture
def server(redis: Redis, redis_url: str) -> Iterator[Server]:
    """A dashboard over an empty Redis, until the test ends."""
    del redis
    started = Server(redis_url)
    assert eventually(started.answers, 30)
    yield started
    started.stop()
