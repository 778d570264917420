"""What the threat model points to is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "threat-model.md").read_text()


def test_every_file_that_the_threat_model_names_exists() -> None:
    named = re.findall(r"`([\w/]+\.py)`", TEXT)
    linked = [f"docs/{path}" for path in re.findall(r"\]\((adr/[^)]+)\)", TEXT)]
    assert len(named) > 10
    assert len(linked) > 5
    assert [path for path in named + linked if not (ROOT / path).is_file()] == []
