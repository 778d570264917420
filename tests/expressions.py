"""Every regular expression of the product, found in its modules, as it is used there."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests import product
from tests.hostile_texts import Shape, samples_of, shapes_of

METHODS = ("match", "fullmatch", "search", "sub", "split", "findall", "finditer")


@dataclass(frozen=True)
class Expression:
    """A pattern and one way in which it is applied."""

    name: str
    pattern: re.Pattern[Any]
    method: str

    def __call__(self, text: str) -> None:
        given: Any = text.encode("latin-1", "replace") if self._is_binary else text
        if self.method == "sub":
            self.pattern.sub(given[:0], given)
        elif self.method == "finditer":
            list(self.pattern.finditer(given))
        else:
            getattr(self.pattern, self.method)(given)

    @property
    def _is_binary(self) -> bool:
        return isinstance(self.pattern.pattern, bytes)

    def shapes(self) -> list[Shape]:
        """What it is tried with."""
        return shapes_of(samples_of(self.pattern))


def expressions() -> list[Expression]:
    """Those that are compiled once, and those that are written where they are used."""
    found = [*_compiled(), *_inline()]
    return list({(one.pattern, one.method): one for one in found}.values())


def _compiled() -> Iterator[Expression]:
    sources = [inspect.getsource(module) for module in product.modules() if _has_source(module)]
    for module in product.modules():
        holders = [module, *(one for one in vars(module).values() if inspect.isclass(one))]
        for holder in holders:
            if holder is not module and holder.__module__ != module.__name__:
                continue
            for name, value in vars(holder).items():
                if isinstance(value, re.Pattern):
                    for method in _used(name, sources):
                        yield Expression(f"{module.__name__}.{name}.{method}", value, method)


def _used(name: str, sources: list[str]) -> Iterator[str]:
    """How a pattern of that name is applied anywhere; in every way when that cannot be told."""
    found = {
        method
        for source in sources
        for method in METHODS
        if re.search(rf"\b{re.escape(name)}\.{method}\b", source)
    }
    yield from sorted(found) or METHODS


def _inline() -> Iterator[Expression]:
    for module in product.modules():
        if not _has_source(module):
            continue
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if (found := _call(node)) is not None:
                method, pattern = found
                name = f"{module.__name__}:{node.lineno} re.{method}"  # type: ignore[attr-defined]
                yield Expression(name, re.compile(pattern), method)


def _call(node: ast.AST) -> tuple[str, str | bytes] | None:
    """Method and pattern of a call such as `re.match("x", text)`."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
        return None
    owner, pattern = node.func.value, node.args[0]
    if not (isinstance(owner, ast.Name) and owner.id == "re" and node.func.attr in METHODS):
        return None
    if not isinstance(pattern, ast.Constant) or not isinstance(pattern.value, str | bytes):
        return None
    return node.func.attr, pattern.value


def _has_source(module: Any) -> bool:
    return bool(getattr(module, "__file__", "").endswith(".py")) and bool(module.__doc__)
