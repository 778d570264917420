"""A Redis that loaded less than it had written: who notices, who says so, and when it is over."""

from __future__ import annotations

import json
import logging
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from redis import Redis

from bus import keys
from bus.connection.loss import MAY_LOSE_MS, LossWatch, accept_loss
from bus.server import acl as redis_acl
from dashboard.live.wall_records import decode_records
from maskwatch.cli import main
from tests.accounts import key_client, make_app, make_user, sign_in
from tests.servers import redis_setups
from tests.servers.redis_server import CARRIED
from tests.servers.redis_setups import Setup
from tests.stored import store_something, stored

MANY_MS = 60_000


@pytest.fixture(params=[CARRIED, "7"])
def setup(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Setup]:
    yield from running(redis_setups.systemd(tmp_path, request.param))


@pytest.fixture
def newest(tmp_path: Path) -> Iterator[Setup]:
    yield from running(redis_setups.systemd(tmp_path, "7"))


def running(made: Setup) -> Iterator[Setup]:
    try:
        made.start()
        yield made
    finally:
        made.kill()


def watch(redis: Redis, seen_file: Path | None = None, settled_after_ms: int = 0) -> LossWatch:
    return LossWatch(redis, seen_file, every_s=0, settled_after_ms=settled_after_ms)


def kill(setup: Setup) -> None:
    """End Redis at once, but not in the second or two for which a busy disk holds up its file."""
    while int(setup.client().info("persistence")["aof_buffer_length"]):
        time.sleep(0.01)
    setup.end(signal.SIGKILL)


def dashboard(setup: Setup) -> FlaskClient:
    redis = setup.client("dashboard")
    return key_client(make_app(redis, losses=watch(redis)), redis)


def told_on_the_wall(browser: FlaskClient) -> str:
    """The notice in the first state that an open wall is sent."""
    answer = browser.get("/wall/stream?cameras=", buffered=False)
    received = b""
    for part in answer.response:
        received += part
        heads = [head for head, _ in decode_records(received)[0]]
        if heads:
            break
    answer.close()
    return str(heads[0]["redis_loss"])


def wipe(setup: Setup) -> None:
    """Start again without the data."""
    setup.end(signal.SIGKILL)
    for path in setup.data().rglob("*"):
        if path.is_file() and path.suffix in {".aof", ".rdb", ".manifest"}:
            path.unlink()
    setup.start()


def test_what_redis_refused_of_its_own_file_is_said_everywhere_until_it_is_back(
    newest: Setup,
) -> None:
    store_something(newest.client())
    before = stored(newest.client())
    newest.end()
    newest.use_users(redis_setups.OLD)
    newest.start()
    client = dashboard(newest)
    make_user(newest.client(), "Grace")
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json["error"]) == (503, "redis_lost_data")
    assert "make_secrets.sh" in answer.text
    assert "maskwatch_redis_lost 1.0" in client.get("/metrics").text
    browser = client.application.test_client()
    sign_in(browser, "Grace")
    assert 'data-part="redis-loss"' in browser.get("/wall").text
    assert "`maskwatch restore FILE`" in told_on_the_wall(browser)

    newest.end()
    newest.use_users(redis_acl.NOBODY)
    newest.start()
    found = stored(newest.client())
    assert {kind: found[kind] for kind in ("cameras", "counts", "rules")} == {
        kind: before[kind] for kind in ("cameras", "counts", "rules")
    }
    assert client.get("/healthz").json["error"] == "no_worker"
    assert "maskwatch_redis_lost 0.0" in client.get("/metrics").text
    assert 'data-part="redis-loss"' not in browser.get("/wall").text
    assert told_on_the_wall(browser) == ""


def test_data_that_are_gone_are_missed_by_whoever_saw_them_even_after_others_wrote(
    setup: Setup, caplog: pytest.LogCaptureFixture
) -> None:
    witness, newcomer = watch(setup.client("ingest")), watch(setup.client("dashboard"))
    assert witness.look() is None
    wipe(setup)
    assert newcomer.look() is None, "it never saw them"
    with caplog.at_level(logging.ERROR):
        assert witness.look()
    assert "Redis has lost all that was written until" in caplog.text
    loss = newcomer.look()
    assert loss is not None, "it was told"
    assert loss.from_s == 0 < loss.until_s
    accept_loss(setup.client())
    assert [one.look() for one in (witness, newcomer)] == [None, None]


def test_a_process_that_starts_with_redis_knows_what_its_predecessor_saw(
    setup: Setup, tmp_path: Path
) -> None:
    seen = tmp_path / "seen.json"
    assert watch(setup.client(), seen).look() is None
    kill(setup)
    setup.start()
    assert watch(setup.client(), seen).look() is None
    wipe(setup)
    assert watch(setup.client(), seen).look()
    settings = {
        **setup.settings,
        **redis_setups.login(setup.folder / "acl", "admin"),
    }
    done = CliRunner().invoke(main, ["redis-loss", "--accept"], env=settings)
    assert "has lost all that was written until" in done.output
    assert "accepted" in done.output
    assert watch(setup.client(), seen).look() is None


@pytest.mark.parametrize(("later_ms", "lost"), [(MAY_LOSE_MS, False), (MANY_MS, True)])
def test_only_more_than_a_power_cut_may_cost_is_called_lost(
    setup: Setup, tmp_path: Path, later_ms: int, lost: bool
) -> None:
    seen = tmp_path / "seen.json"
    watch(setup.client(), seen).look()
    told = json.loads(seen.read_text())
    kill(setup)
    setup.start()
    seen.write_text(json.dumps({**told, "at_ms": told["at_ms"] + later_ms}))
    loss = watch(setup.client(), seen).look()
    assert (loss is not None) is lost
    if loss:
        assert loss.from_s == told["at_ms"] / 1000
        assert loss.until_s == (told["at_ms"] + later_ms) / 1000


def test_a_server_that_ended_in_its_first_seconds_is_missed_by_nobody_and_hides_no_earlier_loss(
    setup: Setup, tmp_path: Path
) -> None:
    seen = tmp_path / "seen.json"
    newcomer = watch(setup.client(), settled_after_ms=MAY_LOSE_MS)
    assert newcomer.look() is None
    wipe(setup)
    assert newcomer.look() is None, "Redis may have kept nothing yet of what it was sent"

    watch(setup.client(), seen).look()
    kill(setup)
    setup.start()
    witness = watch(setup.client(), seen, MAY_LOSE_MS)
    assert witness.look() is None
    wipe(setup)
    assert witness.look(), "it saw the one before the young one"


def test_a_damaged_memory_is_none(setup: Setup, tmp_path: Path) -> None:
    seen = tmp_path / "seen.json"
    for text in ("", "[]", "{}", '{"run": "x", "at_ms": "y"}'):
        seen.write_text(text)
        assert watch(setup.client(), seen).look() is None


def test_users_of_before_are_noticed_before_they_do_harm(
    newest: Setup, caplog: pytest.LogCaptureFixture
) -> None:
    users = newest.users
    assert users is not None
    newest.end()
    users.write_text(re.sub(rf"(%\w+)?~{keys.MARKS} ", "", users.read_text()))
    newest.start()
    with caplog.at_level(logging.ERROR):
        assert watch(newest.client("dashboard")).look() is None
    assert "Redis' users are of an earlier version" in caplog.text
