"""Drives Firefox over its own protocol, Marionette, which needs no program between.

A message is its length, a colon, and JSON: `[0, number, command, parameters]` there,
`[1, number, error, result]` back
(https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html).
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.real_clients import ClientError
from benchmarks.real_clients.players import find
from benchmarks.system import free_port

STARTS_WITHIN_S: Final = 90
PREFERENCES: Final = {
    "app.normandy.enabled": False,
    "browser.aboutConfig.showWarning": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}


class Firefox:
    """A Firefox without a window."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._number = 0
        self._read()  # what the server says of itself
        self._ask("WebDriver:NewSession", acceptInsecureCerts=True, pageLoadStrategy="normal")

    def open(self, url: str) -> None:
        """Load a page, and wait for what it names."""
        self._ask("WebDriver:Navigate", url=url)

    def read(self, script: str) -> Any:
        """Return the value of an expression on the page."""
        wrapped: dict[str, Any] = {"script": f"return {script}", "args": [], "sandbox": None}
        return self._ask("WebDriver:ExecuteScript", **wrapped)["value"]

    def _ask(self, command: str, **parameters: Any) -> Any:
        self._number += 1
        message = json.dumps([0, self._number, command, parameters]).encode()
        self._connection.sendall(b"%d:%s" % (len(message), message))
        _, number, error, result = self._read()
        if error or number != self._number:
            raise ClientError(f"Firefox: {command}: {(error or {}).get('message', 'out of step')}")
        return result

    def _read(self) -> Any:
        head = b""
        while not head.endswith(b":"):
            head += self._some(1)
        body, length = b"", int(head[:-1])
        while len(body) < length:
            body += self._some(length - len(body))
        return json.loads(body)

    def _some(self, most: int) -> bytes:
        received = self._connection.recv(most)
        if not received:
            raise ClientError("Firefox closed the connection")
        return received


@contextmanager
def firefox(profile: Path) -> Iterator[Firefox]:
    """A Firefox with a profile of its own, until left."""
    program, port = find("firefox-esr"), free_port()
    settings = {**PREFERENCES, "marionette.port": port}
    lines = (f"user_pref({json.dumps(n)}, {json.dumps(v)});" for n, v in settings.items())
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "user.js").write_text("\n".join(lines), encoding="utf-8")
    process = subprocess.Popen(
        [program, "--headless", "--no-remote", "--marionette", "--profile", str(profile)],
        env={**os.environ, "HOME": str(profile), "MOZ_CRASHREPORTER_DISABLE": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with _connected(port, process) as connection:
            yield Firefox(connection)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _connected(port: int, process: subprocess.Popen[bytes]) -> socket.socket:
    deadline_s = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline_s and process.poll() is None:
        try:
            return socket.create_connection(("127.0.0.1", port), STARTS_WITHIN_S)
        except OSError:
            time.sleep(0.2)
    raise ClientError("Firefox did not start to listen for Marionette")
