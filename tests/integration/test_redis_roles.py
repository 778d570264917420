"""Each role's user in a real Redis: all that it needs, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from redis import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, ResponseError

from benchmarks.system import free_port
from bus import keys
from bus.connection.client import connect, explain
from bus.keys import AlertKeys, CameraKeys
from bus.members.members import Membership
from bus.server import acl as redis_acl
from bus.server.roles import ADMIN, ROLES
from contract.errors import SettingsError
from maskwatch.cli import main
from runtime.settings import load_settings
from tests.accounts import make_key
from tests.alerts import add_rule, add_webhook, count_people
from tests.secret_key import key_file
from tests.servers.ingest_process import eventually
from tests.servers.life import answers, picture_of, send_recording, upload
from tests.servers.receiver import receiver
from tests.servers.redis_server import DEBIANS, redis_server
from tests.servers.stages import ROOT, STAGES, Api, all_stages, login

LONG_S = 90.0
TESTS = "user tests on nopass ~* &* +@all\n"
"""Who looks at Redis' own log of what it refused."""


@dataclass(frozen=True)
class Guarded:
    """A Redis with the roles' users."""

    url: str
    folder: Path
    """Where the ACL file and the passwords are."""

    def as_role(self, role: str) -> Redis:
        settings = {"MASKWATCH_REDIS_URL": self.url, **login(self.folder, role)}
        return connect(load_settings(settings).require_redis_url(), f"as-{role}")

    def tests(self) -> Redis:
        return Redis.from_url(self.url, username="tests", password="any")  # noqa: S106

    def refused(self) -> list[Any]:
        """What Redis refused so far."""
        log: Any = self.tests().acl_log()
        return [(one["username"], one["reason"], one["object"]) for one in log]


@pytest.fixture(scope="module", params=["6.2", "7"])
def each(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    yield from guarded(request.param, tmp_path_factory.mktemp("guarded"))


@pytest.fixture(scope="module")
def newest_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    yield from guarded("7", tmp_path_factory.mktemp("apart"))


@pytest.fixture
def newest(tmp_path: Path) -> Iterator[Guarded]:
    """Redis 7, which tells reading from writing, where there is one."""
    yield from guarded("7" if DEBIANS.is_file() else "6.2", tmp_path)


def guarded(version: redis_acl.Server, folder: Path) -> Iterator[Guarded]:
    acl = folder / "acl"
    redis_acl.write(acl, version)
    with (acl / redis_acl.ACL_FILE).open("a") as file:
        file.write(TESTS)
    options = ("--aclfile", str(acl / redis_acl.ACL_FILE))
    with redis_server(folder / "data", version, *options) as server:
        yield Guarded(server.url, acl)


def test_a_cameras_whole_life_needs_no_more_than_each_roles_user_may(
    newest: Guarded, tmp_path: Path
) -> None:
    port = free_port()
    dashboard = newest.as_role("dashboard")
    api = Api(port, make_key(dashboard))
    with (
        receiver() as hook,
        all_stages(newest.url, tmp_path, newest.folder, MASKWATCH_PORT=str(port)) as stages,
    ):
        for role in sorted(set(STAGES) - {"dashboard"}):
            # As the health check of its container asks.
            membership = Membership(newest.as_role(role), role, 60)
            assert eventually(membership.live, LONG_S), role
        assert eventually(lambda: answers(api), LONG_S)
        camera = api.json("/api/v1/cameras", {"name": "Gate", "source": "demo:people=6&width=640"})
        names = CameraKeys(camera["id"])
        probe = api.json("/api/v1/probes", {"camera_id": camera["id"]})["id"]
        channel = add_webhook(dashboard, f"{hook.url}/hook")
        for minutes_ago in range(1, 12):
            count_people(newest.as_role(ADMIN), camera["id"], minutes_ago, masked=0, bare=9)
        add_rule(dashboard, "rate", channels=(channel.id,))

        assert eventually(lambda: dashboard.hget(names.totals, "frames:analysed"), LONG_S)
        assert eventually(lambda: picture_of(api, camera["id"]), LONG_S)
        assert eventually(lambda: api.json(f"/api/v1/probes/{probe}")["result"], LONG_S)
        assert eventually(lambda: upload(api)["images"][0]["faces"], LONG_S)
        assert eventually(lambda: send_recording(api, tmp_path), LONG_S)
        [sent] = api.json("/api/v1/recordings")["recordings"]
        where = f"/api/v1/recordings/{sent['id']}"
        assert eventually(lambda: api.json(where)["state"] == "finished", LONG_S)
        assert eventually(lambda: hook.got, LONG_S), "an alert was raised and delivered"
        tested = api.json(f"/api/v1/alerts/channels/{channel.id}/test", {})
        assert tested["outcome"] == "delivered"
        assert eventually(lambda: people_of(dashboard, names), LONG_S)
        audit_somebody(api, camera["id"])
        assert b"maskwatch_people_total" in api.send("/metrics")
        assert api.json("/api/v1/compliance")["total"]["people"]

        api.send(f"/api/v1/cameras/{camera['id']}", method="DELETE")
        assert eventually(lambda: not dashboard.exists(names.ingest_lease), LONG_S)
        for process in stages.values():
            process.terminate()
        assert {name: process.wait(20) for name, process in stages.items()} == dict.fromkeys(
            STAGES, 0
        )
    assert newest.refused() == []


def audit_somebody(api: Api, camera_id: str) -> None:
    """Start an audit, judge somebody, take it back, and remove the audit."""
    made = api.json("/api/v1/audits", {"camera_id": camera_id, "people": 20})
    path = f"/api/v1/audits/{made['id']}"
    assert eventually(lambda: api.json(f"{path}/next")["person"], LONG_S)
    person = api.json(f"{path}/next")["person"]
    assert api.send(person["pictures"][0]).startswith(b"\xff\xd8")
    judgement = f"{path}/people/{person['id']}/judgement"
    api.json(judgement, {"answer": "mask"}, "PUT")
    api.send(judgement, method="DELETE")
    api.json(f"{path}/stop", {})
    api.send(path, method="DELETE")


def people_of(redis: Redis, names: CameraKeys) -> int:
    return int(redis.xlen(names.people))


def test_commands_of_the_command_line_work_as_the_dashboard_and_backups_as_the_administrator(
    newest: Guarded, tmp_path: Path
) -> None:
    file = tmp_path / "station.backup"

    def run(role: str, *arguments: str) -> str:
        settings = {
            "MASKWATCH_REDIS_URL": newest.url,
            "MASKWATCH_SECRET_KEY_FILE": str(key_file()),
            **login(newest.folder, role),
        }
        done = CliRunner().invoke(main, arguments, env=settings)
        assert done.exit_code == 0, done.output
        return done.output

    run("dashboard", "camera", "add", "Gate", "rtsp://u:s3cret@10.0.0.9/1")
    assert "/welcome/" in run("dashboard", "user", "link")
    run("dashboard", "secret-key", "seal")
    assert "1 cameras" in run(ADMIN, "backup", str(file))
    assert "2 kept" in run(ADMIN, "restore", str(file))
    assert newest.refused() == []


MAY_NOT: list[tuple[str, tuple[str, ...]]] = [
    *(
        (role, command)
        for role in ROLES
        for command in (
            ("FLUSHALL",),
            ("FLUSHDB",),
            ("CONFIG", "GET", "*"),
            ("KEYS", "*"),
            ("ACL", "LIST"),
            ("SHUTDOWN",),
            ("MONITOR",),
            ("SAVE",),
            ("REPLICAOF", "NO", "ONE"),
            ("CLIENT", "KILL", "ID", "1"),
            ("SCRIPT", "FLUSH"),
            ("FUNCTION", "LIST"),
            ("MODULE", "LIST"),
            ("GET", "something:else"),
            ("PUBLISH", "rq:pubsub:x", "{}"),
        )
    ),
    *(
        (role, ("HGETALL", name))
        for role in sorted(set(STAGES) - {"dashboard"})
        for name in (keys.USERS, keys.API_KEYS)
    ),
    *((role, ("XREVRANGE", keys.AUDIT, "+", "-")) for role in sorted(set(STAGES) - {"dashboard"})),
    *((role, ("GET", keys.session("x"))) for role in sorted(set(STAGES) - {"dashboard"})),
    *((role, ("HGET", keys.CAMERAS, "c")) for role in ("jobs", "images", "recordings")),
    *(
        (role, ("HGETALL", AlertKeys.CHANNELS))
        for role in sorted(set(STAGES) - {"dashboard", "alerts"})
    ),
    *(
        (role, ("XADD", CameraKeys("c").frames, "*", "v", "1"))
        for role in sorted(set(STAGES) - {"ingest", "worker", "dashboard"})
    ),
    ("ingest", ("SET", CameraKeys("c").tracker + "x", "1")),
    ("ingest", ("LPUSH", f"rq:queue:{keys.JOBS_QUEUE}", "x")),
    ("worker", ("LPUSH", f"rq:queue:{keys.ALERTS_QUEUE}", "x")),
    ("worker", ("HDEL", f"{keys.CAMERAS}:x", "c")),
    ("jobs", ("LPUSH", f"rq:queue:{keys.ALERTS_QUEUE}", "x")),
    ("images", ("LPOP", f"rq:queue:{keys.RECORDINGS_QUEUE}")),
    ("dashboard", ("SET", CameraKeys("c").worker_lease + "x", "1")),
    ("dashboard", ("BGREWRITEAOF",)),
]
ONLY_APART: list[tuple[str, tuple[str, ...]]] = [
    ("worker", ("HSET", keys.CAMERAS, "c", "{}")),
    ("worker", ("SET", keys.CAMERAS_REVISION, "1")),
    ("ingest", ("GET", CameraKeys("c").latest)),
    ("ingest", ("XREVRANGE", CameraKeys("c").people, "+", "-")),
    ("dashboard", ("GET", CameraKeys("c").tracker)),
    ("dashboard", ("HSET", keys.INFERENCE, "x", "1")),
    ("dashboard", ("ZADD", keys.members("worker"), "1", "nobody")),
    ("alerts", ("HSET", keys.CAMERAS, "c", "{}")),
    ("alerts", ("SET", CameraKeys("c").latest, "{}")),
    # 6.2 writes scripts that are loaded to the disk (`bus.picture_seal`).
    *((role, ("EVAL", "return 1", "0")) for role in STAGES),
]
"""What Redis 7 forbids because a key is only read, or only written, and what only 6.2 needs."""


@pytest.mark.parametrize(
    ("role", "command"), MAY_NOT, ids=lambda part: part if isinstance(part, str) else part[0]
)
def test_a_role_may_not(each: Guarded, role: str, command: tuple[str, ...]) -> None:
    with pytest.raises(ResponseError) as caught:
        each.as_role(role).execute_command(*command)
    # Redis 6.2 knows no functions, and no command line may be wrong about the rest.
    unknown = "unknown command" in str(caught.value) and command[0] == "FUNCTION"
    assert isinstance(caught.value, NoPermissionError) or unknown


@pytest.mark.parametrize(
    ("role", "command"), ONLY_APART, ids=lambda part: part if isinstance(part, str) else part[0]
)
def test_where_redis_can_tell_what_is_read_is_not_written_nor_the_other_way_round(
    newest_of_all: Guarded, role: str, command: tuple[str, ...]
) -> None:
    with pytest.raises(NoPermissionError):
        newest_of_all.as_role(role).execute_command(*command)


def test_a_script_of_their_own_gives_a_role_nothing_more(each: Guarded) -> None:
    worker = each.as_role("worker")
    script = worker.register_script("return redis.call('HGETALL', ARGV[1])")
    with pytest.raises(ResponseError):
        script(args=[keys.API_KEYS])
    script = worker.register_script("return redis.call('FLUSHALL')")
    with pytest.raises(ResponseError):
        script()


def test_nobody_comes_in_without_a_password_or_with_another_roles(each: Guarded) -> None:
    wrong = Redis.from_url(each.url, username="worker", password="x" * 64)
    for stranger in (connect(each.url), wrong):
        with pytest.raises(AuthenticationError) as caught:
            stranger.get(keys.CAMERAS_REVISION)
        words = str(explain(caught.value, stranger))
        assert "refuses our user or password" in words
        assert "x" * 64 not in words


def test_the_rules_that_are_delivered_are_those_of_the_code() -> None:
    assert (ROOT / "deploy" / "redis-users.acl").read_text() == redis_acl.template(), (
        "maskwatch redis-acl --template > deploy/redis-users.acl"
    )


def test_writing_again_keeps_the_passwords_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    first = redis_acl.write(tmp_path, "7")
    assert {path.name for path in first} == {
        "users.acl",
        *(f"redis-{role}.password" for role in ROLES),
    }
    before = {path: path.read_text() for path in first}
    assert redis_acl.write(tmp_path, "7") == [tmp_path / "users.acl"]
    assert {path: path.read_text() for path in first} == before
    assert {path.stat().st_mode & 0o777 for path in first} == {0o600}
    passwords = [path.read_text().strip() for path in first if path.suffix == ".password"]
    assert len(set(passwords)) == len(ROLES)
    assert not any(password in before[tmp_path / "users.acl"] for password in passwords)
    (tmp_path / "redis-worker.password").write_text("guessable")
    with pytest.raises(SettingsError, match=r"redis-worker\.password"):
        redis_acl.write(tmp_path, "7")
