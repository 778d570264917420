"""Every page, in light and dark: an axe scan finds nothing serious."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis

from bus.keys import AlertKeys
from bus.stores.alerts import AlertStore
from bus.stores.recordings import RecordingStore
from contract.alerts.alerts import Alert, Change
from contract.alerts.rules import AlertRule
from tests.accounts import accounts_of
from tests.alerts import add_rule, add_webhook
from tests.e2e.accessibility import serious_findings
from tests.e2e.browser import Browser
from tests.e2e.past import write_past
from tests.integration.test_dashboard_hub import FakeCamera, Feed
from tests.integration.test_dashboard_server import Server

PAGES = (
    "cameras/new",
    "cameras/import",
    "overview",
    "reports",
    "reports/schedules",
    "reports/schedules/new",
    "audits",
    "alerts",
    "alerts/rules",
    "alerts/rules/new?kind=rate",
    "alerts/channels",
    "alerts/channels/new?kind=email",
    "alerts/log",
    "settings/users",
    "settings/keys",
    "settings/audit",
    "account",
    "try",
    "try/webcam",
    "try/recordings",
    "api",
    "sign-in",
)

pytestmark = pytest.mark.usefixtures("signed_in")


@pytest.fixture(params=["light", "dark"])
def scheme(browser: Browser, request: pytest.FixtureRequest) -> Iterator[str]:
    browser.prefer(request.param)
    yield str(request.param)
    browser.prefer("")


def test_no_page_has_a_serious_accessibility_finding(
    browser: Browser, server: Server, redis: Redis, scheme: str
) -> None:
    camera, away = FakeCamera(redis, "Gate", group="Terminal 2"), FakeCamera(redis, "Door")
    write_past(redis, camera.camera)
    away.set_state("offline", error="Nothing listens on port 554.")
    findings = {}
    with Feed(camera):
        browser.open(f"{server.url}/wall")
        browser.wait_for(".tile[data-fresh=live]")
        findings["the wall"] = serious_findings(browser)
        browser.open(f"{server.url}/cameras/{camera.id}")
        browser.wait_for("#timeline[data-range='24h'] svg")
        browser.find("#timeline summary").click()
        browser.find("[data-act=draw]").click()
        findings["a camera"] = serious_findings(browser)
    for page in PAGES:
        browser.open(f"{server.url}/{page}")
        if page == "api":
            browser.wait_for(".opblock")
        findings[page] = serious_findings(browser)
    assert {page: found for page, found in findings.items() if found} == {}


def test_pages_with_something_on_them_have_no_serious_finding(
    browser: Browser, server: Server, redis: Redis, scheme: str, tmp_path: Path
) -> None:
    gate = FakeCamera(redis, "Gate", group="Terminal 2")
    hook = add_webhook(redis, "http://127.0.0.1:9/hook")
    rule = add_rule(redis, "rate", "Masks", channels=(hook.id,))
    sheet = tmp_path / "cameras.csv"
    sheet.write_text(f"id;name;source\n{gate.id};Gate West;demo:\n;Door;ftp://10.0.0.9/\n")
    findings = {}

    def scan(page: str, ready: str, act: Callable[[], None] | None = None) -> None:
        browser.open(f"{server.url}/{page}")
        if act is not None:
            act()
        browser.wait_for(ready)
        findings[page] = serious_findings(browser)

    _alert(redis, rule, gate)
    user = accounts_of(redis).users.all()[0]
    with Feed(gate):
        scan("wall", ".tile .alert:not([hidden])")
        scan(f"cameras/{gate.id}", ".tile .alert:not([hidden])")
        scan(f"cameras/{gate.id}/tally", ".tile[data-fresh=live]")
    scan("alerts", "#open th")
    scan("alerts/rules", "td.row-actions .danger")
    scan(f"alerts/rules/{rule.id}", "#name[value=Masks]")
    scan("alerts/channels", "td.row-actions button")
    scan(f"alerts/channels/{hook.id}", "#name[value='Control room']")
    scan("cameras/import", "#rows [data-outcome=refused]", lambda: _bring(browser, sheet))
    scan("cameras/new", "#probe [data-part=words]", lambda: browser.find("#test").click())
    scan(f"try/recordings/{_recording(redis, user.id, tmp_path)}", "#timeline svg")
    scan(f"settings/users/{user.id}", "form.panel")
    scan("cameras/gone", "h1")
    assert {page: found for page, found in findings.items() if found} == {}


def _alert(redis: Redis, rule: AlertRule, at: FakeCamera) -> None:
    """One alert that is open, and one that is over."""
    fields = {"rule_id": rule.id, "rule": rule.name, "kind": "rate", "camera_id": at.id}
    names = {"camera": "Gate", "group": "Terminal 2", "words": "61 % of 40 people"}
    now_s = time.time()
    opened = Alert(id="a", opened_at_s=now_s - 60, **fields, **names)
    closed = opened.model_copy(update={"id": "b", "closed_at_s": now_s, "closed_words": "86 %"})
    redis.set(AlertKeys.EVALUATOR, "test", ex=60)
    for change in (
        Change("x", "", opened=opened),
        Change("y", "", closed=closed),
    ):
        AlertStore(redis).commit("test", change)


def _bring(browser: Browser, sheet: Path) -> None:
    browser.find("#file").send_keys(str(sheet))


def _recording(redis: Redis, user_id: str, folder: Path) -> str:
    """An uploaded recording of that account's that was analysed; its id."""
    person = {"first_seen_s": 1.0, "last_seen_s": 3.0, "confidence": 0.98, "sightings": 9}
    people = [{**person, "best_face_px": 70.0, "verdict": one} for one in ("mask", "no_mask")]
    report = {"duration_s": 12.0, "width": 640, "height": 360, "frames": 96, "faces": 40}
    store = RecordingStore(redis, folder, 600)
    made = store.create(f"user:{user_id}", "hall.mp4")
    report |= {"people": people, "codec": "h264", "took_s": 4.0}
    store.change(made, state="finished", progress=1.0, report=report)
    return made.id


def test_the_scan_tells_what_is_wrong(browser: Browser, server: Server) -> None:
    browser.open(f"{server.url}/wall")
    browser.read("document.querySelector('main').append(document.createElement('input'))")
    assert any("label" in finding for finding in serious_findings(browser))
