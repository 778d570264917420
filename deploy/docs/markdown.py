"""Markdown that the generated pages are made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

NOTE: Final = "<!-- Written by `python -m deploy.docs.generate`; change the code it comes from. -->"


def code(text: object) -> str:
    """`text` as inline code; an empty text gives an empty cell."""
    return f"`{text}`" if str(text) else ""


def cell(text: str) -> str:
    """`text` in one line, with the characters escaped that would end a table's cell."""
    return " ".join(text.split()).replace("|", "\\|")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table with one line for each row."""
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    lines += [" | ".join(map(cell, row)) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def no_html(text: str) -> str:
    """`text` with `<` escaped outside inline code, so that `<id>` stays visible."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(one if one.startswith("`") else one.replace("<", "&lt;") for one in parts)


def page(title: str, *blocks: str) -> str:
    """A whole page, with a note for editors under its title."""
    return "\n\n".join([f"# {title}", NOTE, *blocks]) + "\n"
