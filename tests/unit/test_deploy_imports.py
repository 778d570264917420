"""Each image has every package and folder that its processes import when they start.

`deploy/check_images.sh` proves the same in clean environments; this finds it in a second, from
the sources alone.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.unit.test_deploy import ROOT, copied_sources, requirements

# Some of these are imported late, inside functions, so the first does not lead to them.
ENTRIES = {
    "ingest": (
        "ingest.__main__",
        "ingest.process.jobs",
        "alerts.service",
        "alerts.delivery",
        "maskwatch.cli",
    ),
    "worker": (
        "worker.__main__",
        "worker.uploads.image_jobs",
        "worker.uploads.recording_jobs",
        "worker.uploads.recordings",
        "face_detector.loading",
        "models.loading",
        "models.cli",
        "maskwatch.cli",
    ),
    "dashboard": ("dashboard.__main__", "maskwatch.cli"),
}
OURS = {path.parent.name for path in ROOT.glob("*/__init__.py")}
DISTRIBUTIONS = packages_distributions()


def source_of(module: str) -> Path | None:
    path = ROOT.joinpath(*module.split("."))
    return next((p for p in (path.with_suffix(".py"), path / "__init__.py") if p.is_file()), None)


def imports_at_start(body: list[ast.stmt]) -> Iterator[str]:
    """Modules that running `body` imports: not those inside functions or for type checkers."""
    for statement in body:
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            assert statement.module, "imports here are absolute"
            yield statement.module
            # `from package import module` imports the module, too.
            names = (f"{statement.module}.{alias.name}" for alias in statement.names)
            yield from (name for name in names if source_of(name))
        elif isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.dump(statement.test):
            yield from imports_at_start(statement.orelse)
        elif not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            for field in ("body", "orelse", "finalbody"):
                yield from imports_at_start(getattr(statement, field, []))


def reached(entries: tuple[str, ...]) -> tuple[set[str], set[str]]:
    """Our modules, and the top packages of others, that starting `entries` imports."""
    ours: set[str] = set()
    others: set[str] = set()
    waiting = list(entries)
    while waiting:
        module = waiting.pop()
        top = module.partition(".")[0]
        if top not in OURS:
            others.add(top)
        elif module not in ours:
            ours.add(module)
            source = source_of(module)
            assert source, f"{module} does not exist"
            waiting += imports_at_start(ast.parse(source.read_text()).body)
            if "." in module:
                waiting.append(module.rpartition(".")[0])
    return ours, others - sys.stdlib_module_names


def installed_with(names: set[str]) -> set[str]:
    """Distributions that come along with `names`, as installed here."""
    found: set[str] = set()
    waiting = {canonicalize_name(name) for name in names}
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        try:
            needs = [Requirement(line) for line in distribution(name).requires or ()]
        except PackageNotFoundError:
            continue
        wanted = (r for r in needs if not r.marker or r.marker.evaluate({"extra": ""}))
        waiting |= {canonicalize_name(r.name) for r in wanted}
    return found


@pytest.mark.parametrize("target", sorted(ENTRIES))
def test_an_image_has_the_folders_that_its_processes_import(target: str) -> None:
    ours, _ = reached(ENTRIES[target])
    assert {module.partition(".")[0] for module in ours} <= set(copied_sources(target))
    assert not {module for module in ours if module.startswith("models.training")}


@pytest.mark.parametrize("target", sorted(ENTRIES))
def test_an_image_has_the_packages_that_its_processes_import(target: str) -> None:
    _, packages = reached(ENTRIES[target])
    present = installed_with(set(requirements(ROOT / "deploy" / f"requirements-{target}.txt")))
    missing = {
        package
        for package in packages
        if not present & {canonicalize_name(name) for name in DISTRIBUTIONS.get(package, [])}
    }
    assert missing == set()
