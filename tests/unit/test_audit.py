"""`make audit` claims no more than it learnt."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deploy import audit

KNOWN = {"name": "pillow", "version": "1.0", "vulns": []}
SKIPPED = {"name": "pillow", "skip_reason": "Dependency not found on PyPI"}
ADVISORY = {"id": "PYSEC-1", "fix_versions": ["1.1"]}


def answers(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    def run(*args: Any, **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 0, text, "")

    monkeypatch.setattr(audit.subprocess, "run", run)


def test_a_bill_of_materials_names_what_is_installed(tmp_path: Path) -> None:
    count = audit.write_bill(tmp_path / "out" / "sbom.json")
    bill = json.loads((tmp_path / "out" / "sbom.json").read_text())
    names = {component["name"].lower() for component in bill["components"]}
    assert bill["bomFormat"] == "CycloneDX"
    assert len(bill["components"]) == count > 50
    assert {"redis", "rq", "flask", "onnxruntime"} <= names


def test_an_advisory_is_named_with_what_fixes_it() -> None:
    text, vulnerable = audit.report([KNOWN, {**KNOWN, "vulns": [ADVISORY]}], "pypi")
    assert "pillow 1.0: PYSEC-1, fixed in 1.1" in text
    assert vulnerable == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "cannot be reached"),
        ("Traceback", "cannot be reached"),
        (json.dumps({"dependencies": [SKIPPED] * 10}), "knows only 0 of 10 packages"),
        (json.dumps({"dependencies": [KNOWN] * 8 + [SKIPPED] * 2}), "knows only 8 of 10 packages"),
    ],
)
def test_a_service_that_knows_nothing_is_no_clean_bill(
    monkeypatch: pytest.MonkeyPatch, answer: str, reason: str
) -> None:
    answers(monkeypatch, answer)
    found = audit.ask("pypi")
    assert isinstance(found, str)
    assert reason in found


def test_every_locked_package_is_audited() -> None:
    def pinned(path: Path) -> set[str]:
        return set(re.findall(r"^(\S+==\S+)", path.read_text(encoding="utf-8"), re.MULTILINE))

    audited = set().union(*(pinned(audit.ROOT / lock) for lock in audit.LOCKS))
    locks = [*audit.ROOT.glob("*.lock"), *audit.ROOT.glob("deploy/*.lock")]
    assert set().union(*map(pinned, locks)) == audited
