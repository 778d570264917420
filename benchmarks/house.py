"""How the code is laid out, in figures: `python -m benchmarks.house [CHECKOUT ...]`, a column each.

Files and functions of the product, without tests and benchmarks. A package's floors are the longest
chain of imports among its files. A circle is a group of files that import each other, lazily or
not.
"""

from __future__ import annotations

import argparse
import ast
import re
import statistics
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from benchmarks.system import ROOT

STORE_LIBRARIES: Final = {"redis", "rq"}


@dataclass(frozen=True)
class File:
    """One Python file of the product."""

    module: str
    text: str

    @property
    def lines(self) -> int:
        return self.text.count("\n")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    def functions(self) -> Iterator[int]:
        """Lines of each function and method, decorators left out."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield (node.end_lineno or node.lineno) - node.lineno + 1

    def imported(self) -> Iterator[str]:
        """Every name that is imported, anywhere in the file; both halves of `from a import b`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


class House:
    """A checkout's product."""

    def __init__(self, checkout: Path) -> None:
        self.checkout = checkout
        config = tomllib.loads((checkout / "pyproject.toml").read_text())
        self.packages: list[str] = config["tool"]["importlinter"]["root_packages"]
        self.files = {file.module: file for file in self._read()}
        self.imports = {
            name: {one for one in file.imported() if one in self.files} - {name}
            for name, file in self.files.items()
        }

    def _read(self) -> Iterator[File]:
        for package in self.packages:
            for path in sorted((self.checkout / package).rglob("*.py")):
                parts = path.relative_to(self.checkout).with_suffix("").parts
                name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
                yield File(name, path.read_text())

    def floors(self, package: str) -> int:
        """The longest chain of imports within a package; a circle counts as one step."""
        inside = {name for name in self.files if name.split(".")[0] == package}
        heights: dict[str, int] = {}

        def height(name: str, above: frozenset[str]) -> int:
            if name not in heights:
                below = (self.imports[name] & inside) - above
                heights[name] = 1 + max((height(one, above | {one}) for one in below), default=0)
            return heights[name]

        return max((height(name, frozenset({name})) for name in sorted(inside)), default=0)

    def circles(self) -> int:
        """Groups of files that import each other."""
        reached = {name: self._reached(name) for name in self.files}
        groups = {
            frozenset(other for other in others if name in reached[other])
            for name, others in reached.items()
            if name in others
        }
        return len(groups)

    def _reached(self, start: str) -> set[str]:
        found: set[str] = set()
        waiting = list(self.imports[start])
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting.extend(self.imports[name])
        return found

    def figures(self) -> Iterator[tuple[str, str]]:
        """Yield each figure's name and its value."""
        files = list(self.files.values())
        yield "files", str(len(files))
        yield "lines", str(sum(file.lines for file in files))
        yield "lines of a file, median / 90th percentile", _spread([file.lines for file in files])
        functions = [lines for file in files for lines in file.functions()]
        yield "functions", str(len(functions))
        yield "lines of a function, median / 90th percentile", _spread(functions)
        for package in self.packages:
            rooms = [name for name in self.files if name.split(".")[0] == package]
            yield f"{package}: files / floors", f"{len(rooms)} / {self.floors(package)}"
        speaking = [
            file
            for file in files
            if {name.split(".")[0] for name in file.imported()} & STORE_LIBRARIES
        ]
        yield "files that import redis or rq", str(len(speaking))
        outside = [file for file in speaking if not file.module.startswith("bus")]
        yield "of these outside bus", str(len(outside))
        yield "circles of imports, lazy ones included", str(self.circles())
        positions = sum(len(re.findall(r"ARGV\[", text)) for text in self._scripts())
        yield "script arguments read by position", str(positions)
        yield "words of README", str(len((self.checkout / "README.md").read_text().split()))
        changes = (self.checkout / "CHANGELOG.md").read_text().split("\n## ")
        unreleased = next((part for part in changes if part.startswith("Unreleased")), "")
        yield "lines of CHANGELOG 'Unreleased'", str(len(unreleased.strip().splitlines()))

    def _scripts(self) -> Iterator[str]:
        yield from (file.text for file in self.files.values())
        for package in self.packages:
            yield from (path.read_text() for path in (self.checkout / package).rglob("*.lua"))


def _spread(values: list[int]) -> str:
    return f"{statistics.median(values):.0f} / {statistics.quantiles(values, n=10)[-1]:.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkouts", nargs="*", type=Path, default=[ROOT])
    columns = [dict(House(one.resolve()).figures()) for one in parser.parse_args().checkouts]
    names = dict.fromkeys(name for column in columns for name in column)
    for name in names:
        print(f"| {name} | " + " | ".join(column.get(name, "-") for column in columns) + " |")


if __name__ == "__main__":
    main()
