"""A checkout of the project as an operator has it, run by Compose on the tests' engine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from tests.containers.engine import Engine

ROOT: Final = Path(__file__).resolve().parents[2]
OVERRIDE: Final = "docker-compose.override.yml"
T = TypeVar("T")


@dataclass(frozen=True)
class Station:
    """One Compose project in `folder`."""

    engine: Engine
    folder: Path

    def compose(self, *words: str, fails: bool = False, **given: str) -> str:
        """Run `docker compose WORDS` in the checkout."""
        return self.engine.docker("compose", *words, folder=self.folder, fails=fails, **given)

    def up(self, *words: str, **given: str) -> float:
        """Start what is missing, wait until all is healthy, and return the seconds it took."""
        started = time.monotonic()
        self.compose("up", "--detach", "--wait", "--wait-timeout", "240", *words, **given)
        return time.monotonic() - started

    def maskwatch(self, *words: str) -> str:
        """Run a command of ours in the dashboard's container, as the documentation says."""
        return self.compose("exec", "-T", "dashboard", "maskwatch", *words)

    def containers(self) -> dict[str, list[dict[str, Any]]]:
        """Return what the engine knows of each running container, by service."""
        ids = self.compose("ps", "--quiet").split()
        found: dict[str, list[dict[str, Any]]] = {}
        for one in json.loads(self.engine.docker("inspect", *ids)) if ids else []:
            found.setdefault(one["Config"]["Labels"]["com.docker.compose.service"], []).append(one)
        return found

    def metrics(self) -> str:
        """Return /metrics, read with Prometheus' key."""
        key = (self.folder / "deploy/secrets/metrics.key").read_text().strip()
        status, body = self.fetch("/metrics", "-H", f"Authorization: Bearer {key}")
        return body if status == 200 else ""

    def people(self) -> float:
        """Return how many people all cameras counted."""
        found = re.findall(r"^maskwatch_people_total\{.*\} (\S+)$", self.metrics(), re.MULTILINE)
        return sum(map(float, found))

    def fetch(self, path: str, *options: str) -> tuple[int, str]:
        """Return status and body of the dashboard's `path`."""
        return self.engine.fetch(f"http://127.0.0.1:8000{path}", *options)

    def health(self) -> tuple[int, str]:
        """Return status and body of /healthz."""
        return self.fetch("/healthz")


def checkout(folder: Path, revision: str | None, missing: Collection[str]) -> None:
    """Put the project into `folder`: the working tree with umask 077, or a `revision` of it.

    missing: base images that cannot be had. A service that needs one is left out.
    """
    # Earlier versions need files that all may read.
    before = os.umask(0o077 if revision is None else 0o022)
    try:
        if revision is None:
            names = subprocess.run(
                ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=True,
            ).stdout.split("\0")
            for name in filter(None, names):
                if (source := ROOT / name).is_file():
                    target = folder / name
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(source, target)
                    target.chmod(0o700 if os.access(source, os.X_OK) else 0o600)
        else:
            subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
            subprocess.run(["git", "checkout", "-q", revision], cwd=folder, check=True)
        if missing:
            without = "services:\n  grafana: {profiles: [absent]}\n"
            (folder / OVERRIDE).write_text(without, encoding="utf-8")
    finally:
        os.umask(before)


def until(what: str, condition: Callable[[], T], within_s: float = 60.0) -> T:
    """Return what `condition` returns once it is true."""
    deadline = time.monotonic() + within_s
    while True:
        if found := condition():
            return found
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what}"
        time.sleep(0.5)
