"""The code and the documentation use the glossary's words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from deploy.docs.generate import DOCS, ROOT

GLOSSARY: Final = DOCS / "reference/glossary.md"
FOLDERS: Final = [
    "alerts",
    "benchmarks",
    "bus",
    "contract",
    "dashboard",
    "deploy",
    "docs",
    "face_detector",
    "ingest",
    "maskwatch",
    "models",
    "reports",
    "runtime",
    "tests",
    "worker",
]
TEXTS: Final = {".py", ".md", ".js", ".css", ".html", ".lua", ".yml", ".yaml"}
FORMER: Final = {
    r"FitnessVerdict|fitness\.verdict|fitness verdict": "a fitness has a status",
    r"\b[Aa]nalyses\(|\banalys[ei]s_(api|id)\b|class Analys[ei]s\b": "say upload",
    r"\b(Still(Face|Result|Image)|judge_still|draw_still)\b": "say image; a still face is a face",
    r"\b[Ww]eb hooks?\b": "say webhook",
    r"(not|can|be) (to )?be believed\b": "a picture is reliable or unreliable",
}
"""Words that the glossary replaced, as regular expressions, and the advice for each."""


def texts() -> Iterator[Path]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in TEXTS and path != Path(__file__) and "results" not in path.parts:
                yield path


def former_words(text: str) -> list[str]:
    lines = enumerate(text.splitlines(), 1)
    return [
        f"line {number}: {found[0]!r}: {advice}"
        for number, line in lines
        for words, advice in FORMER.items()
        if (found := re.search(words, line))
    ]


def test_no_file_has_a_word_that_the_glossary_replaced() -> None:
    paths = list(texts())
    assert len(paths) > 500
    found = {
        str(path.relative_to(ROOT)): words
        for path in paths
        if (words := former_words(path.read_text(encoding="utf-8")))
    }
    assert found == {}
    assert former_words("a web hook") == ["line 1: 'web hook': say webhook"]


def test_the_glossary_has_each_word_once_in_alphabetical_order() -> None:
    words = re.findall(r"^\| (?!Word |---)([^|]+) \|", GLOSSARY.read_text(encoding="utf-8"), re.M)
    assert len(words) > 25
    assert words == sorted(set(words))
