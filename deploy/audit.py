"""Reports known vulnerabilities of locked packages, and writes a bill of materials: `make audit`.

python deploy/audit.py [out/sbom.cdx.json]

Ends with status 1 if a package of any lock has a published advisory. If no advisory service can be
reached, or the service does not know our packages (a mirror), the command says so and makes no
claim. The bill of materials (CycloneDX, JSON) needs no network.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SERVICES = ("pypi", "osv")
LOCKS = ("requirements-dev.lock", "deploy/requirements-worker-gpu.lock")
"""Locks that together contain every package of every lock."""
LONGEST_S = 300
LEAST_SHARE = 0.9
"""Smallest share of packages that a service must know to be relied on."""


def main() -> None:
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "out/sbom.cdx.json")
    sys.stdout.write(f"{write_bill(target)} components in {target}\n")
    reasons = []
    for service in SERVICES:
        found = ask(service)
        if isinstance(found, str):
            reasons.append(found)
            continue
        text, vulnerable = report(found, service)
        sys.stdout.write(text)
        sys.exit(1 if vulnerable else 0)
    sys.stdout.write(f"advisories: skipped, because {'; '.join(reasons)}\n")


def write_bill(target: Path) -> int:
    """Write the installed components, and return their number."""
    target.parent.mkdir(parents=True, exist_ok=True)
    command = ["cyclonedx_py", "environment", "--pyproject", str(ROOT / "pyproject.toml")]
    options = ["--output-reproducible", "--output-format", "JSON", "--output-file", str(target)]
    subprocess.run(  # noqa: S603 - our own arguments
        [sys.executable, "-W", "ignore", "-m", *command, *options, sys.executable], check=True
    )
    return len(json.loads(target.read_text(encoding="utf-8"))["components"])


def ask(service: str) -> list[dict[str, Any]] | str:
    """Return a service's answer for each locked package, or the reason for having none."""
    command = ["pip_audit", "--require-hashes", "--disable-pip", "--format", "json"]
    for lock in LOCKS:
        command += ["--requirement", str(ROOT / lock)]
    options = ["--progress-spinner", "off", "--timeout", "10", "--vulnerability-service", service]
    try:
        answer = subprocess.run(  # noqa: S603 - our own arguments
            [sys.executable, "-m", *command, *options],
            capture_output=True,
            text=True,
            timeout=LONGEST_S,
            check=False,
        )
        packages: list[dict[str, Any]] = json.loads(answer.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        return f"{service} did not answer within {LONGEST_S} s"
    except (ValueError, KeyError):
        return f"{service} cannot be reached"
    known = [package for package in packages if "skip_reason" not in package]
    if len(known) < LEAST_SHARE * len(packages):
        return f"{service} knows only {len(known)} of {len(packages)} packages"
    return packages


def report(packages: list[dict[str, Any]], service: str) -> tuple[str, int]:
    """Return a line for each advisory and a sum, and how many packages have any."""
    vulnerable = [package for package in packages if package.get("vulns")]
    lines = [
        f"{package['name']} {package['version']}: {advisory['id']}, "
        f"fixed in {', '.join(advisory['fix_versions']) or 'no version yet'}"
        for package in vulnerable
        for advisory in package["vulns"]
    ]
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    if skipped:
        lines.append(f"not known to {service}: {', '.join(skipped)}")
    lines.append(f"{len(packages)} packages, {len(vulnerable)} with known vulnerabilities")
    return "\n".join(lines) + "\n", len(vulnerable)


if __name__ == "__main__":
    main()
