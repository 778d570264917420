"""Tests lean on nothing of the machine: its time zone, its language, its modes of files, a home."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TELLING = (
    *("alert_schedule", "clock", "dashboard_parts", "logs", "minutes"),
    *("plain_text", "secrets_at_rest", "time_range"),
)
"""Those among the quick tests that look at dates, texts and files."""


@pytest.mark.parametrize(
    "surroundings",
    [
        # Half an hour off, and summer time; files that nobody else may read.
        {"TZ": "America/St_Johns", "LC_ALL": "C"},
        # A day before or after most others; where it is installed, a language with a dotless i.
        {"TZ": "Pacific/Kiritimati", "LC_ALL": "tr_TR.UTF-8"},
    ],
    ids=lambda one: one["TZ"],
)
def test_tests_pass_in_other_surroundings(surroundings: dict[str, str]) -> None:
    kept = {name: value for name, value in os.environ.items() if name != "HOME"}
    files = [f"tests/unit/test_{name}.py" for name in TELLING]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *files],
        cwd=ROOT,
        env={**kept, **surroundings},
        umask=0o077,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
