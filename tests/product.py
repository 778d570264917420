"""Everything in the product: its modules, for tests that find by themselves what they are about."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from types import ModuleType

from pydantic import BaseModel

PACKAGES = (
    "contract",
    "runtime",
    "bus",
    "face_detector",
    "models",
    "reports",
    "ingest",
    "worker",
    "dashboard",
    "alerts",
    "maskwatch",
)
APART = re.compile(r"\.(training|evaluation|reporting|tensorflow_\w+|__main__)(\.|$)")
"""Modules that load what only some machines have, take seconds, and read nothing from outside."""


@cache
def modules() -> tuple[ModuleType, ...]:
    """Every module that can be loaded here."""
    return tuple(_modules())


def _modules() -> Iterator[ModuleType]:
    for package in PACKAGES:
        root = importlib.import_module(package)
        yield root
        for found in pkgutil.walk_packages(root.__path__, f"{package}."):
            if not APART.search(found.name):
                yield importlib.import_module(found.name)


def models() -> list[type[BaseModel]]:
    """Every pydantic model that a module of ours defines."""
    return [
        one
        for module in modules()
        for one in vars(module).values()
        if inspect.isclass(one) and issubclass(one, BaseModel) and one.__module__ == module.__name__
    ]
