"""A container engine of the tests' own, in a network namespace of its own.

It changes no firewall rule, address or image of this machine: slirp4netns connects the namespace
to the outside in user mode. Addresses that containers publish are reached through `Engine.fetch`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

NEEDED: Final = (
    "docker",
    "dockerd",
    "docker-init",
    "slirp4netns",
    "unshare",
    "nsenter",
    "iptables",
    "curl",
)
START_S: Final = 60.0
INNER_NAMESERVER: Final = "10.0.2.3"
"""slirp4netns answers there for the machine's own name servers."""


class NoEngineError(Exception):
    """Why no engine can run here."""


@dataclass(frozen=True)
class Engine:
    """A running engine; `environment` makes the docker command talk to it."""

    environment: dict[str, str]
    pid_file: Path
    """Names the engine's process, whose network namespace containers are published in."""

    def docker(
        self,
        *words: str,
        folder: Path | None = None,
        fails: bool = False,
        timeout_s: float = 600,
        **given: str,
    ) -> str:
        """Run `docker WORDS` and return what it printed.

        fails: a failure is expected, so none is raised. given: further environment variables.

        Raises:
            RuntimeError: it failed; with all that it printed.
        """
        run = subprocess.run(
            ["docker", *words],
            cwd=folder,
            env=self.environment | given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        if run.returncode and not fails:
            raise RuntimeError(f"docker {' '.join(words)}: {run.returncode}\n{run.stdout[-6000:]}")
        return run.stdout

    def fetch(self, url: str, *options: str) -> tuple[int, str]:
        """Return status and body of what is published inside the engine's network."""
        run = subprocess.run(
            self.inside("curl", "-s", "-m", "10", "-w", "\n%{http_code}", *options, url),
            capture_output=True,
            text=True,
            check=False,
        )
        body, _, status = run.stdout.rpartition("\n")
        return int(status or 0), body

    def inside(self, *command: str) -> list[str]:
        """Return the command line that runs `command` in the engine's network namespace."""
        return ["nsenter", "--target", self.pid_file.read_text().strip(), "--net", *command]


def require_programs() -> None:
    """Raise `NoEngineError` where a private engine cannot run."""
    if os.geteuid() != 0:
        raise NoEngineError("needs root, for an engine in a network namespace")
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        raise NoEngineError(f"needs {', '.join(missing)}")


class Daemon:
    """dockerd and its network, which can be stopped and started again with the same data."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = folder / "engine.sock"
        self._started: list[subprocess.Popen[bytes]] = []
        self._client: Engine | None = None

    @property
    def client(self) -> Engine:
        """The client of the running engine."""
        assert self._client is not None, "not started"
        return self._client

    def start(self) -> None:
        """Start the engine and wait until it answers."""
        folder, log = self._folder, (self._folder / "engine.log").open("ab")
        resolve = folder / "resolv.conf"
        resolve.write_text(f"nameserver {INNER_NAMESERVER}\n", encoding="utf-8")
        ready, go = folder / "ready", folder / "go"
        for mark in (ready, go, folder / "engine.pid"):
            mark.unlink(missing_ok=True)
        # The engine waits until slirp4netns has given its namespace a way out.
        wait = (
            f"mount --bind {resolve} /etc/resolv.conf && touch {ready}"
            f" && while [ ! -e {go} ]; do sleep 0.05; done && exec dockerd"
            f" --data-root {folder}/data --exec-root {folder}/run --pidfile {folder}/engine.pid"
            f" --host unix://{self._socket}"
        )
        engine = subprocess.Popen(
            ["unshare", "--net", "--mount", "sh", "-c", wait], stdout=log, stderr=log
        )
        self._started = [engine]
        deadline = time.monotonic() + START_S
        while not ready.exists():
            self._check(engine, deadline)
        network = subprocess.Popen(
            ["slirp4netns", "--configure", "--mtu=1400", "--disable-host-loopback",
             str(engine.pid), "tap0"],
            stdout=log,
            stderr=log,
        )  # fmt: skip
        self._started.append(network)
        go.touch()
        self._client = Engine(
            os.environ
            | {"DOCKER_HOST": f"unix://{self._socket}", "DOCKER_CONFIG": str(folder / "client")},
            folder / "engine.pid",
        )
        while True:
            with suppress(RuntimeError):
                self._client.docker("version")
                return
            self._check(engine, deadline)

    def _check(self, engine: subprocess.Popen[bytes], deadline: float) -> None:
        if engine.poll() is not None or time.monotonic() > deadline:
            told = (self._folder / "engine.log").read_text(errors="replace")[-800:]
            raise NoEngineError(f"the engine does not start here: {told}")
        time.sleep(0.1)

    def stop(self) -> None:
        """Stop the engine as a machine that shuts down does; its data stays."""
        for process in self._started:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._started = []


def client_folder(folder: Path, kept: Path) -> None:
    """Make the docker command's folder, with a Compose 2 in it.

    kept: where a Compose that had to be fetched stays for the next run.

    Raises:
        NoEngineError: the machine has none, and Debian's cannot be fetched.
    """
    known = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    plugins = _plugin_folder() if known.returncode == 0 else _debians_compose(kept)
    config = folder / "client"
    config.mkdir(exist_ok=True)
    (config / "config.json").write_text(
        json.dumps({"cliPluginsExtraDirs": [str(plugins)]}), encoding="utf-8"
    )


def _plugin_folder() -> Path:
    told = subprocess.run(
        ["docker", "info", "--format", "{{json .ClientInfo.Plugins}}"],
        capture_output=True,
        text=True,
        check=False,
    )
    found: list[dict[str, Any]] = json.loads(told.stdout or "[]") or []
    return next(Path(one["Path"]).parent for one in found if one["Name"] == "compose")


def _debians_compose(folder: Path) -> Path:
    """Fetch Compose 2 from Debian's package of it, which its stable release has."""
    script = """
set -eu
mkdir -p "$1/lists/partial" "$1/cache/archives/partial"; cd "$1"
mirror=$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/debian.sources | head -n 1)
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" > list
options="-qq -o Dir::Etc::SourceList=$1/list -o Dir::Etc::SourceParts=/dev/null"
options="$options -o Dir::State::Lists=$1/lists -o Dir::Cache=$1/cache -o APT::Sandbox::User=root"
apt-get $options update
apt-get $options download docker-compose
dpkg-deb -x docker-compose_*.deb .
"""
    plugins = folder / "usr/libexec/docker/cli-plugins"
    if not plugins.exists():
        run = subprocess.run(
            ["sh", "-c", script, "sh", str(folder)], capture_output=True, text=True, check=False
        )
        if run.returncode or not plugins.exists():
            raise NoEngineError(f"no Compose 2 here, and none to fetch: {run.stderr[-300:]}")
    return plugins
