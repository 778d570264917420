"""No neural runtime is imported before it was told to call nobody and to write nothing."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.quiet import ENVIRONMENT

ROOT = Path(__file__).resolve().parents[2]
RUNTIMES = {"onnxruntime", "tensorflow", "keras", "tf2onnx"}
PACKAGES = ("models", "face_detector", "benchmarks")
"""Whose `__init__` keeps the runtimes quiet, before any module of theirs is imported."""


def importing() -> Iterator[Path]:
    """The files that import a neural runtime, anywhere in them."""
    for path in ROOT.glob("*/**/*.py"):
        where = path.relative_to(ROOT).parts[0]
        if where.startswith(".") or where == "tests":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            if RUNTIMES & {name.partition(".")[0] for name in names}:
                yield path
                break


def test_neural_runtimes_are_imported_by_packages_that_keep_them_quiet_alone() -> None:
    found = {path.relative_to(ROOT).parts[0] for path in importing()}
    assert found == set(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_keeps_runtimes_quiet_before_its_modules_are_imported(package: str) -> None:
    code = (
        f"import os, sys, {package}\n"
        f"sys.exit(any(name not in os.environ for name in {list(ENVIRONMENT)}))"
    )
    assert run(code, Path("/nowhere")) == 0


def test_running_a_network_in_onnx_runtime_or_tensorflow_writes_no_file(
    tmp_path: Path,
) -> None:
    code = (
        "import sys; from models.loading import load_classifier; import numpy as np\n"
        "for runtime in ('onnx', 'tensorflow'):\n"
        "    network = load_classifier(runtime, device='cpu', threads=1)\n"
        "    side = network.input_size\n"
        "    network.classify(np.zeros((1, side, side, 3), np.uint8))\n"
    )
    assert run(code, tmp_path) == 0
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def run(code: str, home: Path) -> int:
    # Variables of a CI have ONNX Runtime keep quiet by itself.
    kept = {name: os.environ[name] for name in ("PATH",) if name in os.environ}
    environment = {**kept, "PYTHONPATH": str(ROOT), "HOME": str(home), "TMPDIR": str(home)}
    return subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode
