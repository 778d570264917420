"""The documentation says what the code does, and every link in it leads somewhere."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from markdown import markdown

from contract.cameras.status import FAULT_KINDS
from contract.people.verdicts import JUDGED_VERDICTS, MEANINGS
from dashboard.api_document.document import make_document
from dashboard.operations.metric_definitions import DEFINITIONS
from deploy.docs.code_reference import commands, in_document, make_app, metric_name
from deploy.docs.decisions import all_decisions, read_decision
from deploy.docs.generate import DOCS, PAGES, ROOT, navigation
from runtime.settings import PREFIX, Settings

SITE = ROOT / "zensical.toml"
NOT_OURS = {"node_modules", "site", "out", "state", "build", "dist"}
MOST_README_WORDS = 500


def markdown_files() -> list[Path]:
    inside = (path.relative_to(ROOT) for path in ROOT.rglob("*.md"))
    return sorted(
        path for path in inside if not any(p in NOT_OURS or p.startswith(".") for p in path.parts)
    )


class Links(HTMLParser):
    """Where a page leads to, what it loads, and the anchors it has."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        loads = tag == "link" and given.get("rel") in {"stylesheet", "preload", "icon"}
        if loads or "src" in given:
            self.loaded.append(given.get("src", given.get("href", "")))
        self.targets += [given[name] for name in ("href", "src") if name in given]
        self.anchors |= {given[name] for name in ("id", "name") if name in given}


@cache
def links_of(path: Path) -> Links:
    extensions = ["tables", "toc", "fenced_code"]
    return Links(markdown(path.read_text(encoding="utf-8"), extensions=extensions))


def fault_of(page: Path, target: str) -> str:
    """Why a link on a page leads nowhere; empty if it leads somewhere."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return ""
    file = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not file.exists():
        return f"{target}: no such file"
    if parts.fragment and file.suffix == ".md" and parts.fragment not in links_of(file).anchors:
        return f"{target}: no such heading"
    return ""


@pytest.mark.parametrize("name", markdown_files(), ids=str)
def test_every_link_in_a_markdown_file_leads_somewhere(name: Path) -> None:
    page = ROOT / name
    assert [fault for one in links_of(page).targets if (fault := fault_of(page, one))] == []


def test_a_dead_link_and_a_dead_anchor_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A heading\n\n[a](#a-heading) [b](#none) [c](none.md) [d](https://host)\n")
    faults = [fault_of(page, one) for one in links_of(page).targets]
    assert faults == ["", "#none: no such heading", "none.md: no such file", ""]


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_says_what_the_code_says(name: str) -> None:
    written = (DOCS / name).read_text(encoding="utf-8")
    assert written == PAGES[name](), "run: python -m deploy.docs.generate"


def test_every_setting_metric_route_command_and_fault_kind_is_documented() -> None:
    pages = {name: (DOCS / name).read_text(encoding="utf-8") for name in PAGES}
    settings = {f"| `{PREFIX}{name.upper()}` |" for name in Settings.model_fields}
    metrics = {f"| `{metric_name(one)}` |" for one in DEFINITIONS}
    rules = {rule.rule for rule in make_app().url_map.iter_rules() if rule.endpoint != "static"}
    routes = {in_document(rule) for rule in rules}
    helps = {f"\n## {name}\n" for name, _ in commands()}
    kinds = {f"| `{kind}` |" for kind in FAULT_KINDS}
    assert not {one for one in settings if one not in pages["reference/settings.md"]}
    assert not {one for one in metrics if one not in pages["reference/metrics.md"]}
    assert not {one for one in routes if f" {one}` |" not in pages["reference/api.md"]}
    assert not {one for one in helps if one not in pages["reference/commands.md"]}
    assert not {one for one in kinds if one not in pages["reference/faults.md"]}
    assert min(map(len, (settings, metrics, routes, helps, kinds))) > 20


def test_verdicts_mean_the_same_in_the_documentation_the_model_card_and_the_api() -> None:
    page = (DOCS / "explanation/verdicts.md").read_text(encoding="utf-8")
    card = (ROOT / "models/weights/MODEL_CARD.md").read_text(encoding="utf-8")
    api = make_document(make_app(), "1")["info"]["description"]
    for verdict, meaning in MEANINGS.items():
        assert f"- `{verdict}`: {meaning}\n" in page
        assert f"- `{verdict}`: {meaning}" in api
    for verdict in JUDGED_VERDICTS:
        assert f"- `{verdict}`: {MEANINGS[verdict]}\n" in card


def test_every_route_says_what_it_does() -> None:
    rows = (DOCS / "reference/api.md").read_text(encoding="utf-8").splitlines()
    routes = [row.split(" | ") for row in rows if row.startswith("| `")]
    assert len(routes) > 80
    assert [route[0] for route in routes if not route[2].strip(" |")] == []


def site() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads(SITE.read_text(encoding="utf-8"))["project"]
    return project


def pages_in(entry: object) -> list[str]:
    if isinstance(entry, str):
        return [entry]
    parts = entry.values() if isinstance(entry, dict) else entry
    return [page for part in parts for page in pages_in(part)]  # type: ignore[attr-defined]


def test_every_page_is_in_the_navigation_once() -> None:
    pages = [path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")]
    assert sorted(pages_in(site()["nav"])) == sorted(pages), "run: python -m deploy.docs.generate"
    text = SITE.read_text(encoding="utf-8")
    assert navigation(text) == text


def test_readers_get_the_colours_of_their_system() -> None:
    palettes = site()["theme"]["palette"]
    assert [one for one in palettes if "toggle" not in one] == [], "ignored without a switch"
    assert palettes[0]["media"] == "(prefers-color-scheme)"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("- Date: 2026-11-30\n", "", "expected the head"),
        ("# 0043 ", "# 0044 ", "has the number 0044"),
        ("Subject: Development", "Subject: Rest", "not one of"),
        ("Status: accepted", "Status: fine", "begins with none of"),
    ],
)
def test_a_decision_without_its_head_is_refused(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    page = tmp_path / "0043-documentation-site.md"
    page.write_text((DOCS / "adr" / page.name).read_text().replace(old, new, 1))
    with pytest.raises(ValueError, match=words):
        read_decision(page)


@pytest.mark.parametrize("path", sorted((DOCS / "adr").glob("0*.md")), ids=lambda path: path.stem)
def test_a_decision_has_the_same_parts_as_every_other(path: Path) -> None:
    """Context first, then the decision and its consequences; two pages decide by subject."""
    text = path.read_text(encoding="utf-8")
    parts = re.findall(r"^(?:## |\*\*)(Context|Decision|Decided|Consequences|Costs)\b", text, re.M)
    assert parts[0] == "Context"
    assert {"Decision", "Decided"} & set(parts)
    assert {"Consequences", "Costs"} & set(parts)


def test_a_decision_that_overturns_another_says_so_in_both() -> None:
    for one in all_decisions(DOCS / "adr"):
        for number in re.findall(r"\[(\d{4})\]", one.status):
            [later] = (DOCS / "adr").glob(f"{number}-*.md")
            assert one.number in later.read_text(encoding="utf-8"), f"{number} of {one.number}"


def test_every_folder_of_code_leads_to_its_pages() -> None:
    layers = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    rows = (DOCS / "contributing.md").read_text(encoding="utf-8").partition("\n## How")[0]
    named = set(re.findall(r"`(\w+)`", rows))
    assert set(layers["root_packages"]) - named == set()


def test_the_page_of_changes_names_files_that_are_there() -> None:
    named = re.findall(r"`([\w/.-]+\.\w+|[\w/]+/)`", (DOCS / "changing.md").read_text("utf-8"))
    assert len(named) > 30
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_measurement_is_in_the_index_and_every_one_in_a_document_can_be_run() -> None:
    folder = ROOT / "benchmarks"
    runnable = {path.parent.name for path in folder.glob("*/__main__.py")}
    runnable |= {path.stem for path in folder.glob("*.py") if "__main__" in path.read_text("utf-8")}
    index = (folder / "README.md").read_text(encoding="utf-8")
    assert {name for name in runnable if f"`python -m benchmarks.{name}`" not in index} == set()
    for page in (*DOCS.rglob("*.md"), folder / "README.md", ROOT / "CONTRIBUTING.md"):
        for name in re.findall(r"python -m benchmarks\.(\w+)", page.read_text(encoding="utf-8")):
            assert name in runnable or (folder / name).is_dir(), f"{page}: {name}"


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= MOST_README_WORDS


def test_the_site_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    shutil.copytree(DOCS, tmp_path / "docs")
    shutil.copy(SITE, tmp_path)
    zensical = Path(sys.executable).with_name("zensical")
    subprocess.run([zensical, "build", "--strict"], cwd=tmp_path, check=True, timeout=120)
    built = list((tmp_path / "site").rglob("*.html"))
    assert len(built) > 50
    loaded = {one for path in built for one in Links(path.read_text(encoding="utf-8")).loaded}
    assert loaded
    assert {one for one in loaded if urlsplit(one).netloc} == set()
