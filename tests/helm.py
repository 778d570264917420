"""The chart, rendered by Helm itself: its Go library, which a Python package carries.

In a process of its own, so that no Go runtime lives in the one that runs the tests.

    echo '[{"values": {...}}]' | python -m tests.helm
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
CHART = ROOT / "deploy" / "helm"
CASES = sorted(path.stem for path in (CHART / "ci").glob("*.yaml"))
RELEASE, NAMESPACE = "mw", "station"

Json = dict[str, Any]


@dataclass(frozen=True)
class Rendered:
    """What Helm made of some values."""

    manifests: list[Json]
    refusal: str
    """Why it made nothing; empty if it did."""
    lint: list[Json]
    """What `helm lint --strict` says; severity 2 is a warning, 3 an error."""

    def of(self, kind: str) -> dict[str, Json]:
        """The manifests of a kind by name, without the release's."""
        prefix = f"{RELEASE}-"
        return {
            one["metadata"]["name"].removeprefix(prefix): one
            for one in self.manifests
            if one["kind"] == kind
        }

    def pods(self) -> dict[str, Json]:
        """The pods' templates by the name of what makes them."""
        made = self.of("Deployment") | self.of("StatefulSet")
        return {name: one["spec"]["template"] for name, one in made.items()}


def render(*values: Json, root: Path = ROOT) -> list[Rendered]:
    """Render the chart of a checkout once for each of `values`; skips where there is no Helm."""
    if find_spec("helm_python") is None:
        pytest.skip(
            "needs helm-python-sdk of requirements-dev.txt, which has wheels for few machines"
        )
    done = subprocess.run(
        [sys.executable, "-m", "tests.helm"],
        input=json.dumps(values),
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
    )
    assert done.returncode == 0, done.stderr
    return [
        Rendered(
            [
                manifest
                for name, text in one["files"].items()
                if not name.endswith(("NOTES.txt", ".tpl"))
                for manifest in yaml.safe_load_all(text)
                if manifest
            ],
            one["refusal"],
            one["lint"],
        )
        for one in json.loads(done.stdout)
    ]


def case(name: str, chart: Path = CHART) -> Json:
    """The values of a file in `ci`."""
    return yaml.safe_load((chart / "ci" / f"{name}.yaml").read_text())


def _answer(values: Json) -> Json:
    import helm_python as helm

    with helm.Chart.load(CHART) as chart:
        try:
            files, refusal = chart.render(values, name=RELEASE, namespace=NAMESPACE), ""
        except helm.HelmError as error:
            files, refusal = {}, str(error)
    return {
        "files": files,
        "refusal": refusal,
        "lint": helm.lint(CHART, values, strict=True)["messages"],
    }


if __name__ == "__main__":
    json.dump([_answer(values) for values in json.load(sys.stdin)], sys.stdout)
