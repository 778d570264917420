"""State folders and checkouts with names that need quoting somewhere."""

from __future__ import annotations

import threading
from pathlib import Path
from subprocess import Popen
from urllib.parse import quote

import pytest

from bus.connection.client import connect, server_name
from bus.jobs.process import _WarmWorker
from bus.keys import JOBS_QUEUE
from bus.members.members import Membership, OwnConnection
from bus.server.embedded import EmbeddedRedis, find_redis_server
from runtime.settings import load_settings
from tests.integration.test_dashboard_hub import eventually

NAMES = (
    "with blanks",
    "a=b",
    "a#b",
    "what?",
    "%41",
    "a&b;c",
    'it\'s "quoted"',
    "$(touch x)`touch x`",
    "Überwachung 東京 🙂",
    "back\\slash",
    "-n",
    "[1]{2}*",
    "x" * 120,
    "/".join(["y" * 200] * 3),
)


@pytest.mark.parametrize("name", NAMES)
def test_redis_its_clients_and_jobs_work_in_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    server = EmbeddedRedis(tmp_path / name / "redis")
    server.start()
    try:
        redis = connect(server.url, "a-test")
        assert redis.ping()
        assert {one["name"] for one in redis.client_list()} == {"a-test"}
        assert server_name(redis) == str(server.socket_path)
        worker = _WarmWorker(threading.Event(), JOBS_QUEUE, "a.job", redis)
        worker.register_birth()
        members = Membership(redis, "worker", 60)
        members.beat("one")
        assert set(members.live()) == {"one"}
        assert (tmp_path / name / "redis" / "appendonlydir").is_dir() or (
            tmp_path / name / "redis" / "appendonly.aof"
        ).is_file()
    finally:
        server.stop()


def test_a_socket_that_somebody_else_could_have_made_is_refused(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path / "with blanks")
    folder = server.socket_path.parent
    assert str(tmp_path) not in str(folder)
    folder.symlink_to(tmp_path)
    try:
        with pytest.raises(ValueError, match="remove it"):
            server.start()
    finally:
        folder.unlink()


def test_a_redis_of_ones_own_with_a_blank_in_its_sockets_path_works(tmp_path: Path) -> None:
    plain = EmbeddedRedis(tmp_path)
    socket = tmp_path / "my redis.sock"
    command = plain.command(find_redis_server())
    with Popen([part.replace(str(plain.socket_path), str(socket)) for part in command]) as process:
        try:
            assert eventually(socket.exists)
            url = f"unix://{quote(str(socket))}"
            redis = connect(load_settings({"MASKWATCH_REDIS_URL": url}).require_redis_url())
            _WarmWorker(threading.Event(), JOBS_QUEUE, "a.job", redis).register_birth()
            members = Membership(redis, "worker", 60)
            members.beat("one")
            assert set(members.live()) == {"one"}
            own = OwnConnection(redis)
            assert own.closed([own.number()]) == set()
        finally:
            process.terminate()
