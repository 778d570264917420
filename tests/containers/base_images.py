"""The images that ours and the Compose file start from: a registry's, or made here from Debian."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Collection
from pathlib import Path
from typing import Final

import yaml

from tests.containers.engine import Engine, NoEngineError

_ROOT: Final = Path(__file__).resolve().parents[2]
_NAMED: Final = dict(
    re.findall(r"^ARG (\w+)_IMAGE=(\S+)$", (_ROOT / "deploy/Dockerfile").read_text(), re.MULTILINE)
)
PYTHON, PROMETHEUS, GRAFANA = (_NAMED[one] for one in ("PYTHON", "PROMETHEUS", "GRAFANA"))
REDIS: Final = yaml.safe_load((_ROOT / "docker-compose.yml").read_text())["services"]["redis"][
    "image"
]
PULL_S: Final = 240.0

# What Debian's package of each brings to the image that stands in for the registry's.
_PYTHON_PACKAGES: Final = "python3,python3-venv,ca-certificates"
_OTHERS_PACKAGES: Final = "redis-server,prometheus,wget,ca-certificates"


def provide_base_images(engine: Engine, kept: Path) -> Collection[str]:
    """Give the engine every base image that can be had, and return the names of those missing.

    kept: where root file systems made here stay for the next run.

    Raises:
        NoEngineError: no registry is reached, and Debian's packages neither.
    """
    names = (PYTHON, REDIS, PROMETHEUS, GRAFANA)
    present = engine.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split()
    wanted = [name for name in names if name not in present]
    if not wanted or _pulled(engine, wanted[0]):
        for name in wanted[1:]:
            engine.docker("pull", "--quiet", name, timeout_s=PULL_S)
        return ()
    if shutil.which("debootstrap") is None:
        raise NoEngineError("no registry is reached, and debootstrap is missing")
    python = _debian(kept, "python", _PYTHON_PACKAGES)
    others = _debian(kept, "others", _OTHERS_PACKAGES)
    for name, root, entry in (
        (PYTHON, python, "[]"),
        (REDIS, others, "[]"),
        (PROMETHEUS, others, '["prometheus"]'),
    ):
        if name in wanted:
            entrypoint = f"ENTRYPOINT {entry}"
            engine.docker("import", "-c", "WORKDIR /data", "-c", entrypoint, str(root), name)
    return (GRAFANA,)


def _pulled(engine: Engine, name: str) -> bool:
    try:
        engine.docker("pull", "--quiet", name, timeout_s=PULL_S)
    except (RuntimeError, subprocess.TimeoutExpired):
        return False
    return True


def _debian(kept: Path, name: str, packages: str) -> Path:
    """Return a tar archive of a small Debian with `packages`, and this machine's certificates."""
    archive = kept / f"{name}.tar"
    if archive.exists():
        return archive
    kept.mkdir(parents=True, exist_ok=True)
    script = """
set -eu
mirror=$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/debian.sources | head -n 1)
debootstrap --variant=minbase --include="$2" bookworm "$1.root" "$mirror" > "$1.log"
rm -rf "$1.root"/var/cache/apt/archives/*.deb "$1.root"/var/lib/apt/lists/*
rm -rf "$1.root"/usr/share/doc "$1.root"/usr/share/man "$1.root"/usr/share/locale
[ ! -e "$1.root/usr/bin/python3" ] || ln -sf /usr/bin/python3 "$1.root/usr/local/bin/python"
[ ! -e /etc/pip.conf ] || cp /etc/pip.conf "$1.root/etc/"
cp /etc/ssl/certs/ca-certificates.crt "$1.root/etc/ssl/certs/"
install -d -o 65534 "$1.root/prometheus"
install -d -o 999 "$1.root/data"
tar -C "$1.root" -cf "$1.tar.new" .
mv "$1.tar.new" "$1.tar"
rm -rf "$1.root"
"""
    run = subprocess.run(
        ["sh", "-c", script, "sh", str(kept / name), packages],
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise NoEngineError(f"no registry is reached, nor Debian's packages: {run.stderr[-300:]}")
    return archive
