"""The chart's pods as processes here: what they may not do in a cluster they may not do here.

python -m benchmarks.pods_as_processes

Helm renders the chart; each of its pods then runs as the user and group, with the variables and
the command that it has there, without capabilities, in a mount namespace of its own in which the
root file system cannot be written, `/tmp` is empty, and keys are readable by the group alone. A
process passes when the pod's own readiness and liveness commands say that it is well, and when it
ends by itself after SIGTERM within the pod's grace period. Needs root and Linux' unshare. What it
does not show: images, seccomp, network policies, Redis' users.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.system import ROOT, machine, print_result
from bus.server.embedded import EmbeddedRedis
from runtime.vault import create_key_file
from tests.helm import Rendered, case, render

STARTS_WITHIN_S: Final = 180.0
ELSEWHERE: Final = {"/recordings": "/run/recordings", "/models": "/run/models"}
"""Folders that a volume would be mounted at; here they must be made, which / does not allow."""
TOUCH: Final = f"touch {ROOT}/written || touch /usr/written || touch /var/tmp/written"
"""Succeeds if any of it can be written, the last of which a user may where / can be."""
STAGES: Final = ("ingest", "worker", "dashboard")

Pod = dict[str, Any]

# As root, in a mount namespace of its own; then as the pod's user, with nothing but its rights.
PREPARE: Final = """
set -e
mount --make-rprivate /
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/maskwatch/keys /run/recordings /run/models
cp "$KEYS"/* /run/maskwatch/keys
chown root:"$GROUP_ID" /run/maskwatch/keys/* /run/recordings
chmod 0440 /run/maskwatch/keys/*
chmod 2770 /run/recordings
case "$BASE" in /root/*)
    # A Python in root's home is none that others may enter: shown again where they may.
    mkdir /run/python && mount --bind "$BASE" /run/python
    mount -t tmpfs -o mode=755 tmpfs /root
    mkdir -p "$BASE" && mount --bind /run/python "$BASE" ;;
esac
mount -o remount,ro,bind /
for rest in $(awk '$2 != "/" && $2 !~ "^/(tmp|run|proc|sys|dev)(/|$)" {print $2}' /proc/mounts); do
    mount -o remount,ro,bind "$rest" 2>/dev/null || true
done
exec setpriv --reuid "$USER_ID" --regid "$GROUP_ID" --clear-groups --no-new-privs \\
    --bounding-set=-all --inh-caps=-all "$@"
"""


@dataclass(frozen=True)
class Outcome:
    """How one pod's process did."""

    pod: str
    well: bool
    """By its own readiness and liveness commands."""
    wrote_elsewhere: bool
    """Whether its user could write to the root file system."""
    status: int | None
    """How it ended; None if it did not within the grace period."""
    ended_s: float

    @property
    def passed(self) -> bool:
        return self.well and not self.wrote_elsewhere and self.status == 0


def main() -> None:
    """Run every pod's process, one after the other, and print what came of it."""
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("setpriv"):
        raise SystemExit("needs root, unshare and setpriv")
    print(machine())
    [chart] = render(case("smallest"))
    with _redis() as (url, keys):
        outcomes = [_try(chart, name, url, keys) for name in chart.pods() if name != "redis"]
    for one in outcomes:
        print(f"{one.pod}: well {one.well}, ended with {one.status} after {one.ended_s:.1f} s")
    passed = sum(one.passed for one in outcomes)
    target = "all: well, nothing written elsewhere, ended by itself"
    figure = f"{passed} of {len(outcomes)}"
    print_result("pods as processes", figure, "pods", target, passed == len(outcomes))
    sys.exit(0 if passed == len(outcomes) else 1)


@contextmanager
def _redis() -> Iterator[tuple[str, Path]]:
    """A Redis that any user here reaches, and a folder with the two keys."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:  # /tmp is another there
        folder = Path(name)
        folder.chmod(0o755)
        keys = folder / "keys"
        keys.mkdir()
        create_key_file(keys / "secret.key")
        (keys / "metrics.key").write_text(secrets.token_urlsafe(32))
        server = EmbeddedRedis(folder / "redis")
        server.start()
        try:
            for path in (folder / "redis").rglob("*"):
                path.chmod(0o777)
            (folder / "redis").chmod(0o755)
            yield server.url, keys
        finally:
            server.stop()


def _try(chart: Rendered, name: str, url: str, keys: Path) -> Outcome:
    pod = chart.pods()[name]
    [container] = pod["spec"]["containers"]
    settings = _environment(chart, container, url)
    prepared = ["unshare", "--mount", "sh", "-c", PREPARE, "sh"]
    security = pod["spec"]["securityContext"]
    ids = {"USER_ID": str(security["runAsUser"]), "GROUP_ID": str(security["runAsGroup"])}
    environment = {**settings, **ids, "KEYS": str(keys), "BASE": sys.base_prefix}
    refused = subprocess.run(
        [*prepared, "sh", "-c", TOUCH],
        env=environment,
        check=False,
    )
    process = subprocess.Popen([*prepared, *_command(name, container)], env=environment, cwd=ROOT)
    try:
        well = _becomes_well(process, container, environment)
    finally:
        status: int | None = None
        began_s = time.monotonic()
        process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(pod["spec"]["terminationGracePeriodSeconds"])
        except subprocess.TimeoutExpired:
            process.kill()
    return Outcome(name, well, refused.returncode == 0, status, time.monotonic() - began_s)


def _environment(chart: Rendered, container: Pod, url: str) -> dict[str, str]:
    """The pod's variables, but for Redis' address and login: another Redis runs here."""
    given = dict(chart.of("ConfigMap")["settings"]["data"])
    given |= {one["name"]: str(one["value"]) for one in container["env"]}
    given = {name: ELSEWHERE.get(value, value) for name, value in given.items()}
    for login in ("MASKWATCH_REDIS_USER", "MASKWATCH_REDIS_PASSWORD_FILE"):
        given.pop(login, None)
    fixed = {"HOME": "/tmp", "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}  # noqa: S108
    return {**given, **fixed, "PATH": os.environ["PATH"], "MASKWATCH_REDIS_URL": url}


def _command(name: str, container: Pod) -> list[str]:
    """What the container runs: by its command, or as its image does."""
    if "command" in container:
        program, role = container["command"]
        return [sys.executable, "-m", program, role]
    return [sys.executable, "-m", next(stage for stage in STAGES if name == stage)]


def _becomes_well(
    process: subprocess.Popen[bytes], container: Pod, environment: dict[str, str]
) -> bool:
    until_s = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < until_s and process.poll() is None:
        if all(
            _says_well(container[f"{kind}Probe"]["exec"]["command"], environment)
            for kind in ("readiness", "liveness")
        ):
            return True
        time.sleep(0.5)
    return False


def _says_well(command: list[str], environment: dict[str, str]) -> bool:
    program, script, *arguments = command
    if program != "python":
        raise SystemExit(f"a probe runs {program}; this knows python only")
    path = str(ROOT / Path(script).relative_to("/app"))
    done = subprocess.run(
        [sys.executable, path, *arguments], env=environment, capture_output=True, check=False
    )
    return done.returncode == 0


if __name__ == "__main__":
    main()
