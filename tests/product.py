"""Everything in the product: its modules, for tests that find by themselves what they are about."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from functools import cache
from types import ModuleType

from pydantic import BaseModel

PACKAGES = (
    "contract",
    "face_detector",
    "models",
    "ingest",
    "worker",
    "dashboard",
    "alerts",
    "maskwatch",
)
NEED_MORE = ("tensorflow", "keras", "torch", "tf2onnx", "matplotlib")
"""What only some machines have; modules that load it read nothing from outside."""


@cache
def modules() -> tuple[ModuleType, ...]:
    """Every module that can be loaded here."""
    return tuple(_modules())


def _modules() -> Iterator[ModuleType]:
    for package in PACKAGES:
        root = importlib.import_module(package)
        yield root
        for found in pkgutil.walk_packages(root.__path__, f"{package}."):
            if found.name.endswith("__main__"):
                continue
            try:
                yield importlib.import_module(found.name)
            except ImportError as error:
                if (error.name or "").partition(".")[0] not in NEED_MORE:
                    raise


def models() -> list[type[BaseModel]]:
    """Every pydantic model that a module of ours defines."""
    return [
        one
        for module in modules()
        for one in vars(module).values()
        if inspect.isclass(one) and issubclass(one, BaseModel) and one.__module__ == module.__name__
    ]
