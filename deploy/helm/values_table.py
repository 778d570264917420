"""Prints the table of the chart's values for its README, from values.yaml and its comments.

python -m deploy.helm.values_table
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml
from yaml import MappingNode, Node

CHART: Final = Path(__file__).parent

LONGEST: Final = 60


def table(text: str, prefix: str = "") -> str:
    """A Markdown table of every value in `text`, which is YAML: name, default, what it is for."""
    lines = text.splitlines()
    rows = [
        f"| `{prefix}{path}` | `{_default(node)}` | {_comment(lines, line)} |"
        for path, node, line in _leaves(yaml.compose(text))
    ]
    return "\n".join(["| Value | Default | |", "| --- | --- | --- |", *rows])


def _leaves(node: Node, above: str = "", line: int = -1) -> Iterator[tuple[str, Node, int]]:
    """Everything that can be set, with the number of the line that it stands on."""
    if not isinstance(node, MappingNode) or not node.value:
        yield above, node, line
        return
    for key, value in node.value:
        path = f"{above}.{key.value}" if above else key.value
        yield from _leaves(value, path, key.start_mark.line)


def _default(node: Node) -> str:
    text = json.dumps(yaml.safe_load(yaml.serialize(node)), ensure_ascii=False)
    return text if len(text) <= LONGEST else "see values.yaml"


def _comment(lines: list[str], line: int) -> str:
    """The comment right above a line, if it begins as one for users does."""
    found: list[str] = []
    for above in reversed(lines[:line]):
        stripped = above.strip()
        if not stripped.startswith("#"):
            break
        found.insert(0, stripped)
    joined = " ".join(part.removeprefix("#").strip() for part in found)
    return joined.removeprefix("--").strip().replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(table((CHART / "values.yaml").read_text()) + "\n\n")
    of_redis = CHART / "charts" / "redis" / "values.yaml"
    sys.stdout.write(table(of_redis.read_text(), "redis.") + "\n")
