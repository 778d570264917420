"""The redis-server that `maskwatch run` starts: what it holds from its start on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from bus.connection.client import connect
from bus.server.embedded import EmbeddedRedis


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    redis = EmbeddedRedis(tmp_path)
    redis.start()
    yield redis
    redis.stop()


def test_pictures_of_any_size_and_history_fit_in_what_it_took_at_its_start(
    server: EmbeddedRedis,
) -> None:
    client: Any = connect(server.url, "tests")
    if client.info("memory")["mem_allocator"] != "libc":
        pytest.skip("this redis-server has an allocator of its own")
    process = psutil.Process(server.pid)
    before = process.memory_info().rss
    for number in range(400):
        client.xadd("frames", {"jpeg": bytes(20_000 + number * 7919 % 280_000)}, maxlen=20)
        client.hset("history", f"minute {number}", bytes(2_000))
    assert process.memory_info().rss < before * 1.02


def test_what_it_took_is_stored_nowhere(server: EmbeddedRedis, tmp_path: Path) -> None:
    client: Any = connect(server.url, "tests")
    assert client.dbsize() == 0
    assert (tmp_path / "appendonly.aof").stat().st_size == 0
