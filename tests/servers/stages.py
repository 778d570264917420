"""All of Maskwatch's processes over a given Redis, each as its own user there if it has users."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bus.server.acl import password_file
from tests.secret_key import key_file

ROOT = Path(__file__).resolve().parents[2]
STAGES = ("ingest", "worker", "dashboard", "jobs", "images", "recordings", "alerts")
QUICK = {
    "MASKWATCH_OPEN_TIMEOUT_S": "2",
    "MASKWATCH_READ_TIMEOUT_S": "2",
    "MASKWATCH_RECONNECT_MAX_S": "1",
    "MASKWATCH_INFERENCE_THREADS": "1",
    # What is late because other tests run beside this one is analysed all the same.
    "MASKWATCH_STALENESS_BUDGET_S": "30",
}


@contextmanager
def stage(
    name: str, redis_url: str, log: Path, acl: Path | None = None, **more: str
) -> Iterator[subprocess.Popen[bytes]]:
    """One stage's process: as the user of its name, where `acl` is a folder with passwords."""
    settings = {
        **QUICK,
        "MASKWATCH_REDIS_URL": redis_url,
        "MASKWATCH_SECRET_KEY_FILE": str(key_file()),
        **(login(acl, name) if acl else {}),
        **more,
    }
    others = {k: v for k, v in os.environ.items() if not k.startswith("MASKWATCH_")}
    with log.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "maskwatch", name], cwd=ROOT, env=others | settings, stderr=file
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def all_stages(
    redis_url: str, folder: Path, acl: Path | None = None, **more: str
) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """All stages; each writes `folder/STAGE.log`."""
    settings = {"MASKWATCH_RECORDINGS_DIR": str(folder / "kept"), **more}
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(
                stage(name, redis_url, folder / f"{name}.log", acl, **settings)
            )
            for name in STAGES
        }


def login(acl: Path, role: str) -> dict[str, str]:
    """The settings that make a process come in as `role`."""
    return {
        "MASKWATCH_REDIS_USER": role,
        "MASKWATCH_REDIS_PASSWORD_FILE": str(password_file(acl, role)),
    }


@dataclass(frozen=True)
class Api:
    """The dashboard's API, as a program with a key uses it."""

    port: int
    key: str

    def json(self, path: str, body: object = None, method: str | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        answer = self.send(path, data, {"Content-Type": "application/json"}, method)
        return json.loads(answer or b"null")

    def send(
        self,
        path: str,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        method: str | None = None,
    ) -> bytes:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            data,
            {"Authorization": f"Bearer {self.key}", **(headers or {})},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return bytes(answer.read())
