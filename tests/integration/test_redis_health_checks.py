"""What Compose's health check and Helm's probes say of a Redis, run as they are delivered."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from bus.connection.loss import LossWatch, accept_loss
from bus.server import acl as redis_acl
from tests.helm import case, render
from tests.servers import redis_setups
from tests.servers.redis_setups import Setup
from tests.servers.stages import ROOT
from tests.stored import store_something


@pytest.fixture
def setup(tmp_path: Path) -> Iterator[Setup]:
    yield from _running(redis_setups.compose(tmp_path))


@pytest.fixture
def tls_setup(tmp_path: Path) -> Iterator[Setup]:
    yield from _running(redis_setups.helm_tls(tmp_path))


def _running(made: Setup) -> Iterator[Setup]:
    if not shutil.which("redis-cli"):
        pytest.skip("needs Debian's redis-tools: tests/install-system-packages.sh")
    try:
        made.start()
        yield made
    finally:
        made.kill()


def asked(setup: Setup, command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a check as Redis' container does, with the paths and the port of this machine."""
    assert setup.users
    files = {
        "/run/secrets/redis_health": setup.users.with_name("redis-health.password"),
        "/run/redis-users/redis-health.password": setup.users.with_name("redis-health.password"),
        "/run/redis-tls/ca.crt": setup.settings.get("MASKWATCH_REDIS_CA_FILE", ""),
    }
    programs = setup.folder / "programs"
    programs.mkdir(exist_ok=True)
    client = programs / "redis-cli"
    real = shutil.which("redis-cli", path="/usr/bin")
    client.write_text(f'#!/bin/sh\nexec {real} -h 127.0.0.1 -p {setup.ports[0]} "$@"\n')
    client.chmod(0o755)
    return subprocess.run(
        [str(files.get(part, part)) for part in command],
        env={"PATH": f"{programs}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def compose_check() -> list[str]:
    service = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["redis"]
    kind, *command = service["healthcheck"]["test"]
    assert kind == "CMD"
    return [part.replace("$$", "$") for part in command]


def probe(kind: str, values: str) -> list[str]:
    [rendered] = render(case(values))
    [container] = rendered.pods()["redis"]["spec"]["containers"]
    command = container[f"{kind}Probe"]["exec"]["command"]
    assert isinstance(command, list)
    return command


def without_the_user(setup: Setup) -> None:
    """Start again with a users file in which nobody may ask, as before an upgrade."""
    assert setup.users
    setup.end()
    lines = setup.users.read_text().splitlines()
    setup.users.write_text("\n".join(one for one in lines if "user health" not in one) + "\n")
    setup.start()


def test_compose_tells_a_redis_that_lost_data_until_it_is_back_or_accepted(setup: Setup) -> None:
    check = compose_check()
    store_something(setup.client())
    watch = LossWatch(setup.client(), every_s=0, settled_after_ms=0)
    watch.look()
    assert asked(setup, check).returncode == 0
    setup.end(signal.SIGKILL)
    shutil.rmtree(setup.data() / "appendonlydir")
    setup.start()
    assert watch.look()
    done = asked(setup, check)
    assert (done.returncode, "redis-loss" in done.stdout) == (1, True), done
    accept_loss(setup.client())
    assert asked(setup, check).returncode == 0


def test_compose_tells_a_redis_that_refused_its_own_file(setup: Setup) -> None:
    check = compose_check()
    store_something(setup.client())
    setup.end()
    # The start itself refuses such users: this is what somebody's own Redis would do.
    setup.use_users(redis_setups.OLD)
    guarded = setup.commands[0]
    setup.commands[0] = ["redis-server", "--aclfile", *guarded[3:]]
    setup.start()
    done = asked(setup, check)
    assert (done.returncode, "redis-loss" in done.stdout) == (1, True), done
    accept_loss(setup.client())
    assert asked(setup, check).returncode == 0
    setup.end()
    setup.use_users(redis_acl.NOBODY)


def test_compose_tells_a_redis_that_lets_its_users_not_in_or_is_away(setup: Setup) -> None:
    check = compose_check()
    assert asked(setup, check).returncode == 0
    without_the_user(setup)
    assert asked(setup, check).returncode == 1
    setup.end(signal.SIGKILL)
    assert asked(setup, check).returncode == 1


def test_helm_tells_one_that_lets_its_users_not_in_and_restarts_only_one_that_is_silent(
    setup: Setup,
) -> None:
    ready, alive = probe("readiness", "smallest"), probe("liveness", "smallest")
    assert [asked(setup, one).returncode for one in (ready, alive)] == [0, 0]
    without_the_user(setup)
    assert [asked(setup, one).returncode for one in (ready, alive)] == [1, 0]
    setup.end(signal.SIGKILL)
    assert [asked(setup, one).returncode for one in (ready, alive)] == [1, 1]


def test_helm_asks_over_tls_where_redis_speaks_nothing_else(tls_setup: Setup) -> None:
    ready, alive = probe("readiness", "everything"), probe("liveness", "everything")
    assert [asked(tls_setup, one).returncode for one in (ready, alive)] == [0, 0]
    tls_setup.end(signal.SIGKILL)
    assert [asked(tls_setup, one).returncode for one in (ready, alive)] == [1, 1]
