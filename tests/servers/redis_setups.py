"""Redis as each way to set Maskwatch up runs it, from the very files that people are given.

Each set-up starts the same servers again with the same data, as often as it is told to.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml
from redis import Redis

from benchmarks.system import free_port
from bus.connection.client import connect
from bus.server import acl as redis_acl
from bus.server.embedded import EmbeddedRedis
from bus.server.roles import ADMIN
from runtime.settings import load_settings
from tests.helm import case, render
from tests.servers.certificates import Authority
from tests.servers.redis_cluster import NODE_TIMEOUT_MS, complete, form, free_bus_port
from tests.servers.redis_server import Server, launch
from tests.servers.sentinels import wait_for
from tests.servers.stages import ROOT, login

TESTS: Final = "user tests on nopass ~* &* +@all\n"
"""Who ends servers and looks at what they say of themselves."""
ENDS_WITHIN_S: Final = 60
"""A primary waits for its replicas for ten seconds, and longer where much else runs."""
OLD: Final = "user default off resetkeys resetchannels -@all"
"""What users files began with before the user `default` could replay a file."""


@dataclass
class Setup:
    """Servers that somebody set up, and how Maskwatch reaches them."""

    folder: Path
    version: str
    commands: list[list[str]]
    ports: list[int]
    settings: dict[str, str]
    servers: list[Server] = field(default_factory=list)
    users: Path | None = None
    """The users file, where there is one."""
    ready: Callable[[], None] = lambda: None
    """Waits until servers that started have found each other."""

    def start(self) -> None:
        """Start all servers, with what they had stored before."""
        for number, (command, port) in enumerate(zip(self.commands, self.ports, strict=True)):
            place = self.data(number)
            self.servers.append(launch(place, self.version, command, port))
        self.ready()

    def data(self, number: int = 0) -> Path:
        """Where a server has its data."""
        return self.folder / f"data-{number}"

    def end(self, how: signal.Signals | None = None) -> None:
        """End all servers: with a signal, or with the command SHUTDOWN."""
        for number, server in enumerate(self.servers):
            if how is None:
                self.tests(number).shutdown()
            else:
                server.process.send_signal(how)
            server.process.wait(ENDS_WITHIN_S)
        self.servers.clear()

    def kill(self) -> None:
        """End whatever still runs."""
        for server in self.servers:
            server.process.kill()
            server.process.wait(20)
        self.servers.clear()

    def client(self, role: str = ADMIN) -> Redis:
        """A connection as Maskwatch makes it."""
        who = login(self.users.parent, role) if self.users else {}
        return connect(load_settings({**self.settings, **who}).require_redis_url(), "tests")

    def tests(self, number: int = 0) -> Redis:
        """A connection to one server that may do all."""
        address = self.settings["MASKWATCH_REDIS_URL"]
        if not self.users:
            return Redis.from_url(address)
        who: dict[str, Any] = {"username": "tests", "password": "any"}
        if ca_file := self.settings.get("MASKWATCH_REDIS_CA_FILE"):
            who |= {"ssl": True, "ssl_ca_certs": ca_file}
        return Redis(host="localhost", port=self.ports[number], **who)

    def use_users(self, default: str) -> None:
        """Begin the users file with this line, and let the tests in."""
        assert self.users is not None
        _, *others = self.users.read_text().splitlines()
        others = [one for one in others if one != TESTS.strip()]
        self.users.write_text("\n".join([default, *others, TESTS]))


def embedded(folder: Path, version: str) -> Setup:
    """The server that `maskwatch run` starts."""
    server = EmbeddedRedis(folder / "data-0")
    _, *options = server.command(Path("redis-server"))
    settings = {"MASKWATCH_REDIS_URL": server.url}
    return Setup(folder, version, [["redis-server", *options]], [0], settings)


def compose(folder: Path, version: str = "7", root: Path = ROOT) -> Setup:
    """The service `redis` of docker-compose.yml, with the users that make_secrets.sh makes."""
    users = _made_secrets(folder, root)
    service = yaml.safe_load((root / "docker-compose.yml").read_text())["services"]["redis"]
    command = [
        re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", part).replace("$$", "$") for part in service["command"]
    ]
    port = free_port()
    return _one_server(
        folder, version, _mounted(command, {"/run/secrets/redis_users": users}), port, users
    )


def helm(folder: Path, version: str = "7", root: Path = ROOT) -> Setup:
    """The chart's own Redis."""
    return _helm(folder, version, "smallest", root)


def helm_tls(folder: Path, version: str = "7", root: Path = ROOT) -> Setup:
    """The chart's own Redis where it speaks nothing but TLS."""
    return _helm(folder, version, "everything", root)


def _helm(folder: Path, version: str, values: str, root: Path) -> Setup:
    users = _made_secrets(folder, root)
    [rendered] = render(case(values, root / "deploy" / "helm"), root=root)
    [container] = rendered.pods()["redis"]["spec"]["containers"]
    authority = Authority(folder, "ours")
    certificate, key = authority.issue("redis")
    files = {
        "/run/redis-users/redis-users.acl": users,
        "/run/redis-tls/tls.crt": certificate,
        "/run/redis-tls/tls.key": key,
        "/run/redis-tls/ca.crt": authority.file,
    }
    port, command = free_port(), _mounted(container["args"], files)
    if "--tls-port" not in command:
        return _one_server(folder, version, command, port, users)
    command[command.index("--tls-port") + 1] = str(port)
    setup = _one_server(folder, version, command, port, users, tls=True)
    setup.settings["MASKWATCH_REDIS_CA_FILE"] = str(authority.file)
    return setup


def systemd(folder: Path, version: str, root: Path = ROOT) -> Setup:
    """Debian's server with the lines that deploy/systemd/README.md adds to its configuration."""
    users = _users(folder, version, root)
    text = (root / "deploy" / "systemd" / "README.md").read_text()
    added = re.findall(r"'([^']*)' >> /etc/redis/redis.conf", text)
    assert any(line.startswith("aclfile") for line in added)
    debians = Path("/etc/redis/redis.conf")
    # Without the package: what is not written there is Redis' default in Debian, too.
    lines = [
        *(debians.read_text(encoding="utf-8").splitlines() if debians.is_file() else []),
        *added,
    ]
    config = folder / "redis.conf"
    config.write_text("\n".join(lines).replace("/etc/redis/users.acl", str(users)) + "\n")
    command = ["redis-server", str(config), "--daemonize", "no", "--supervised", "no"]
    return _one_server(folder, version, [*command, "--logfile", ""], free_port(), users)


def one_password(folder: Path, version: str) -> Setup:
    """A server of somebody's own, with one password and no users."""
    command = ["redis-server", "--appendonly", "yes", "--save", "", "--requirepass", "secret"]
    setup = _one_server(folder, version, command, port := free_port(), None)
    setup.settings["MASKWATCH_REDIS_URL"] = f"redis://:secret@127.0.0.1:{port}/0"
    return setup


def replicated(folder: Path, version: str, root: Path = ROOT) -> Setup:
    """A primary and a replica with the users that sentinels and replicas have."""
    users = _users(folder, version, root, "--sentinels")
    ports = [free_port(), free_port()]
    common = ["redis-server", "--appendonly", "yes", "--save", "", *_as_replica(users)]
    commands = [common, [*common, "--replicaof", "127.0.0.1", str(ports[0])]]
    return _servers(folder, version, commands, ports, users, f"redis://127.0.0.1:{ports[0]}/0")


def cluster(folder: Path, version: str, root: Path = ROOT) -> Setup:
    """Three primaries with the users of a cluster."""
    users = _users(folder, version, root, "--cluster")
    ports = [free_bus_port() for _ in range(3)]
    common = ["redis-server", "--appendonly", "yes", "--save", "", *_as_replica(users)]
    common += ["--cluster-enabled", "yes", "--cluster-node-timeout", str(NODE_TIMEOUT_MS)]
    hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
    address = f"redis+cluster://{hosts}/"
    setup = _servers(folder, version, [common] * 3, ports, users, address)

    def ready() -> None:
        servers = {port: setup.tests(number) for number, port in enumerate(ports)}
        if servers[ports[0]].cluster("INFO")["cluster_slots_assigned"] == "0":
            form(servers)
        wait_for(lambda: all(complete(one, len(ports)) for one in servers.values()), "a cluster")

    setup.ready = ready
    return setup


def _one_server(
    folder: Path, version: str, command: list[str], port: int, users: Path | None, tls: bool = False
) -> Setup:
    address = f"{'rediss' if tls else 'redis'}://localhost:{port}/0"
    plain = 0 if tls else port
    where = ["--port", str(plain), "--bind", "127.0.0.1", "--dir", str(folder / "data-0")]
    setup = Setup(
        folder, version, [[*command, *where]], [port], {"MASKWATCH_REDIS_URL": address}, users=users
    )
    if users:
        setup.use_users(users.read_text().splitlines()[0])
    return setup


def _servers(
    folder: Path, version: str, commands: list[list[str]], ports: list[int], users: Path, url: str
) -> Setup:
    placed = [
        [*command, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder / f"data-{n}")]
        for n, (command, port) in enumerate(zip(commands, ports, strict=True))
    ]
    setup = Setup(folder, version, placed, ports, {"MASKWATCH_REDIS_URL": url}, users=users)
    setup.use_users(users.read_text(encoding="utf-8").splitlines()[0])
    return setup


def _users(folder: Path, version: str, root: Path, *more: str) -> Path:
    """Run `maskwatch redis-acl`; return the users file."""
    made = folder / "acl"
    command = [sys.executable, "-m", "maskwatch", "redis-acl", str(made), "--redis", version, *more]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    return made / redis_acl.ACL_FILE


def _as_replica(users: Path) -> list[str]:
    password = redis_acl.password_file(users.parent, "replica").read_text().strip()
    return ["--aclfile", str(users), "--masteruser", "replica", "--masterauth", password]


def _made_secrets(folder: Path, root: Path) -> Path:
    """Run make_secrets.sh as people do; return the users file."""
    deploy = folder / "deploy"
    deploy.mkdir(parents=True, exist_ok=True)
    for name in ("make_secrets.sh", "redis-users.acl"):
        shutil.copy(root / "deploy" / name, deploy / name)
    subprocess.run(["sh", str(deploy / "make_secrets.sh")], check=True, capture_output=True)
    return deploy / "secrets" / "redis-users.acl"


def _mounted(command: list[str], files: dict[str, Path]) -> list[str]:
    """The command with paths of this machine for those inside a container."""
    return [str(files.get(part, part)) for part in command]
