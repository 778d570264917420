"""An axe scan of the page that a browser shows."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

from tests.e2e.browser import Browser

SERIOUS: Final = frozenset({"serious", "critical"})
RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]


def serious_findings(browser: Browser) -> list[str]:
    """What axe-core holds to be serious or critical, a line each: rule, element, summary."""
    # The engine comes with the package; its Playwright half is not used.
    browser.driver.execute_script(files("axe_playwright_python").joinpath("axe.min.js").read_text())
    found: Any = browser.read(
        "axe.run(document, {runOnly: arguments[0], resultTypes: ['violations']})", RULES
    )
    return [
        f"{one['id']}: {node['html'][:120]} {node['failureSummary']}"
        for one in found["violations"]
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]
