"""A real Redis on a private socket, once per test session, empty before each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from redis import Redis

from bus.connection.client import connect
from bus.server.embedded import EmbeddedRedis

# No example is too slow: the machine may be busy, and times are for benchmarks.
# The same examples every time, so that nothing fails by chance; "thorough" looks for others.
settings.register_profile("maskwatch", deadline=None, derandomize=True)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile("maskwatch")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis_url(redis_server: EmbeddedRedis) -> str:
    return redis_server.url


@pytest.fixture
def redis(redis_server: EmbeddedRedis) -> Iterator[Redis]:
    client = connect(redis_server.url, "tests")
    client.flushall()
    yield client
    client.close()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real data and clips, beside the project; skips where it is missing."""
    if not (SHARED / "video").is_dir():
        pytest.skip("needs the real clips and networks of ../shared, which are not here")
    return SHARED
