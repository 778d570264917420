"""The chart, the rules and the dashboards: everything about them that needs no cluster (F6).

python -m benchmarks.operations_checked

Runs promtool's rule tests, Helm and the schema checks, and the comparison of dashboards with
metrics, which are all part of `make test`, and counts what they went through. What could not be
checked on this machine is named, and then the result is not met.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

import yaml

from benchmarks.system import ROOT, machine, print_result
from dashboard.operations.metric_definitions import DEFINITIONS

TESTS: Final = (
    "test_deploy_monitoring",
    "test_helm_chart",
    "test_helm_network",
    "test_helm_values",
    "test_metric_definitions",
)


def main() -> None:
    """Run the checks, say what they were about, and print the result."""
    print(machine())
    outcomes, skipped = _run()
    for line in (*_rules(), *_boards(), *_chart()):
        print(line)
    for reason in skipped:
        print(f"not checked here: {reason}")
    met = not outcomes["failed"] and not skipped and outcomes["passed"] > 0
    target = "promtool rule tests, chart rendering and schema checks, dashboards against metrics"
    print_result("F6", outcomes, "checks", target, met)
    sys.exit(0 if met else 1)


def _run() -> tuple[dict[str, int], list[str]]:
    """How many checks passed, failed and were skipped, and why those were."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        files = [f"tests/unit/{name}.py" for name in TESTS]
        command = [sys.executable, "-m", "pytest", "-n0", *files, f"--junitxml={report}"]
        subprocess.run(command, cwd=ROOT, check=False)
        cases = list(ElementTree.parse(report).iter("testcase"))  # noqa: S314 - pytest wrote it just now
    bad = [
        case for case in cases if case.find("failure") is not None or case.find("error") is not None
    ]
    reasons = [one.get("message", "") for case in cases for one in case.iter("skipped")]
    passed = len(cases) - len(bad) - len(reasons)
    return {"passed": passed, "failed": len(bad), "skipped": len(reasons)}, sorted(set(reasons))


def _rules() -> list[str]:
    folder = ROOT / "deploy" / "prometheus"
    groups = yaml.safe_load((folder / "rules.yml").read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    tests = yaml.safe_load((folder / "rules_test.yml").read_text())["tests"]
    alerts = sum("alert" in rule for rule in rules)
    asked = sum(
        len(test.get(kind, ()))
        for test in tests
        for kind in ("promql_expr_test", "alert_rule_test")
    )
    return [f"rules: {len(rules) - alerts} recorded, {alerts} alerts; promtool asks {asked} times"]


def _boards() -> list[str]:
    boards = sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))
    panels = [panel for board in boards for panel in json.loads(board.read_text())["panels"]]
    queries = sum(len(panel["targets"]) for panel in panels)
    return [
        f"dashboards: {len(boards)}, {len(panels)} panels, {queries} queries; "
        f"{len(DEFINITIONS)} metrics defined"
    ]


def _chart() -> list[str]:
    from tests.helm import CASES, case, render

    rendered = render(*map(case, CASES))
    return [
        f"chart, values of ci/{name}.yaml: {len(one.manifests)} manifests of "
        f"{len({manifest['kind'] for manifest in one.manifests})} kinds"
        for name, one in zip(CASES, rendered, strict=True)
    ]


if __name__ == "__main__":
    main()
