"""No file of the dashboard writes a path from the host's root: a proxy may add one in front."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DASHBOARD = Path(__file__).resolve().parents[2] / "dashboard"
FORBIDDEN = {
    ".html": re.compile(r"""(?:[\w-]+=["']|url\(["']?)/[^"'\s>]*"""),
    ".css": re.compile(r"""url\(["']?/[^)]*"""),
    ".js": re.compile(r"""(?<!\bat\()["'`]/(?:[a-z][^"'`]*)?["'`]"""),
    ".py": re.compile(r"""redirect\(\s*f?["']/|Location["']?[:=]\s*f?["']/|\.host_url\b"""),
}
COMMENT = re.compile(r"^\s*//.*$", re.MULTILINE)


def absolute_paths(path: Path, text: str) -> list[str]:
    """Paths from the host's root that are written out, and so would leave the dashboard's own."""
    return FORBIDDEN[path.suffix].findall(COMMENT.sub("", text))


def files() -> list[Path]:
    return sorted(path for path in DASHBOARD.rglob("*") if path.suffix in FORBIDDEN)


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(DASHBOARD)))
def test_no_file_of_the_dashboard_writes_a_path_of_its_own(path: Path) -> None:
    found = absolute_paths(path, path.read_text(encoding="utf-8"))
    assert found == [], "use url_for in Python and templates, and at() of paths.js in scripts"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.html", '<a href="/try">Try</a>'),
        ("a.html", "<form action='/alerts/{{ id }}'>"),
        ("a.html", '<div data-source="/alerts?part=open">'),
        ("a.css", "body { background: url(/static/icon.svg); }"),
        ("a.js", 'const API = "/api/v1/cameras";'),
        ("a.js", "await fetch(`/api/v1/cameras/${id}`);"),
        ("a.js", 'location.href = "/";'),
        ("a.js", "link.href = `/cameras/${camera.id}`;"),
        ("a.py", 'return redirect("/try")'),
        ("a.py", 'headers={"Location": f"/api/v1/probes/{one}"}'),
        ("a.py", "link = request.host_url + path"),
    ],
)
def test_a_written_path_is_found(name: str, text: str) -> None:
    assert absolute_paths(Path(name), text)
