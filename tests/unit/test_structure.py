"""The house stands: imports go one way only, lazy ones included."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = tuple(
    tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
)

CLIENTS_OF_REDIS = {"redis", "rq"}


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def _files() -> dict[str, Path]:
    return {
        _module(path): path
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    }


def _imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, anywhere in it; both halves of `from a import b`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in _files() else str(node.module)


@cache
def _imports() -> dict[str, set[str]]:
    return {
        name: {one for one in _imported(path) if one in _files()} - {name}
        for name, path in _files().items()
    }


def _circles(imports: dict[str, set[str]]) -> list[list[str]]:
    """Return the groups of modules that import each other (Tarjan's components above size 1)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    open_: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        order[name] = low[name] = len(order)
        open_.append(name)
        for other in sorted(imports[name]):
            if other not in order:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in open_:
                low[name] = min(low[name], order[other])
        if low[name] == order[name]:
            group = open_[open_.index(name) :]
            del open_[len(open_) - len(group) :]
            if len(group) > 1:
                found.append(sorted(group))

    for name in imports:
        if name not in order:
            visit(name)
    return found


def _by_folder(package: str) -> dict[str, set[str]]:
    """Return which folders of a package import which others of it."""
    folders: dict[str, set[str]] = {}
    for name, others in _imports().items():
        if name.startswith(f"{package}.") and name.count(".") >= 2:
            mine = name.split(".")[1]
            theirs = {
                other.split(".")[1]
                for other in others
                if other.startswith(f"{package}.") and other.count(".") >= 2
            }
            folders.setdefault(mine, set()).update(theirs - {mine})
    return {mine: theirs & folders.keys() for mine, theirs in folders.items()}


def test_no_file_imports_one_that_imports_it_lazily_or_not() -> None:
    assert _circles(_imports()) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_folder_imports_one_that_imports_it(package: str) -> None:
    assert _circles(_by_folder(package)) == []


@pytest.mark.parametrize("package", sorted({*PACKAGES} - {"bus"}))
def test_only_bus_speaks_redis(package: str) -> None:
    speakers = {
        name
        for name, path in _files().items()
        if name.split(".")[0] == package
        and CLIENTS_OF_REDIS & {one.split(".")[0] for one in _imported(path)}
    }
    assert speakers == set()


def test_no_file_of_a_deployment_speaks_redis() -> None:
    speakers = {
        path
        for path in (ROOT / "deploy").rglob("*.py")
        if CLIENTS_OF_REDIS & {one.split(".")[0] for one in _imported(path)}
    }
    assert speakers == set()


def test_the_test_sees_a_circle() -> None:
    assert _circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
