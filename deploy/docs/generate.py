"""Writes the documentation pages that are generated from the code.

python -m deploy.docs.generate
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from deploy.docs.code_reference import api_page, commands_page, metrics_page, settings_page
from deploy.docs.decisions import all_decisions, decisions_page
from deploy.docs.faults import faults_page

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"
PAGES: Final[dict[str, Callable[[], str]]] = {
    "reference/settings.md": settings_page,
    "reference/metrics.md": metrics_page,
    "reference/api.md": api_page,
    "reference/commands.md": commands_page,
    "reference/faults.md": faults_page,
    "adr/index.md": partial(decisions_page, DOCS / "adr"),
}
"""The function that makes each page, by its path below `docs`."""

_NAVIGATION: Final = re.compile(r"(# decisions: generated\n).*?( *# end of decisions\n)", re.DOTALL)


def navigation(text: str) -> str:
    """Return `text`, the site's configuration, with every decision in the navigation."""
    lines = "".join(f'    "adr/{one.file}",\n' for one in all_decisions(DOCS / "adr"))
    return _NAVIGATION.sub(rf"\g<1>{lines}\g<2>", text)


def write() -> None:
    """Write every generated page, and the decisions into the navigation."""
    for name, make in PAGES.items():
        (DOCS / name).write_text(make(), encoding="utf-8")
    site = ROOT / "zensical.toml"
    site.write_text(navigation(site.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    write()
