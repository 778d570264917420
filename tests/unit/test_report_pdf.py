"""A report as PDF: what stands on its first page, in any script."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from fpdf import FPDF

from contract.cameras.camera import Camera, make_camera
from contract.people.corrected_rate import CorrectedRate
from contract.people.minutes import ANALYSED_MS, FRAMES, INVALID, people_column
from reports import pdf as report_document
from reports.document import PeriodReport
from reports.pdf import report_pdf
from reports.pdf_fonts import MISSING, SYSTEM, Fonts
from reports.periods import CameraSummary, GroupSummary, PeriodSummary
from reports.report import Point, total_of
from reports.span import parse_span
from reports.week import DaySums

HOUR_MS = 3_600_000
ZONE = ZoneInfo("Europe/Berlin")


def report(*names: str, span: str = "2026-W48") -> PeriodReport:
    """A finished report in which every camera counted the same people."""
    from_s, to_s = (int(one) for one in parse_span(span).edges(ZONE))
    people = {people_column(verdict): n for verdict, n in (("mask", 75), ("no_mask", 25))}
    amounts = {**people, FRAMES: 9, ANALYSED_MS: 100 * HOUR_MS, f"{INVALID}frozen": HOUR_MS}
    point = Point(from_s, to_s, amounts, 168 * HOUR_MS)
    gap = Point(from_s, to_s, {}, 0)
    better = CorrectedRate(0.8, 0.7, 0.9)

    def camera(name: str) -> Camera:
        return make_camera(name=name, source="rtsp://10.0.0.9/live")

    cameras = tuple(CameraSummary(point, gap, better, camera(name)) for name in names)
    whole = total_of([one.period for one in cameras])
    day = DaySums({"mask": 3, "incorrect": 0, "no_mask": 1, "unknown": 0}, False, from_s, to_s)
    groups = (GroupSummary(whole, gap, better, "Terminal 2", cameras),)
    summary = PeriodSummary(whole, gap, better, groups, (), (day,))
    return PeriodReport(parse_span(span), "Terminal 2", ZONE, to_s + 60, summary)


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str]]:
    """Text drawn with its page, in order."""
    drawn: list[tuple[int, str]] = []

    class Noted(report_document._Page):
        def cell(self, w=None, h=None, text="", *rest, **more):  # type: ignore[no-untyped-def]
            drawn.append((self.page, text))
            return super().cell(w, h, text, *rest, **more)

        def multi_cell(self, w, h=None, text="", *rest, **more):  # type: ignore[no-untyped-def]
            drawn.append((self.page, text))
            return super().multi_cell(w, h, text, *rest, **more)

    monkeypatch.setattr(report_document, "_Page", Noted)
    return drawn


def test_the_first_page_has_the_figures_and_their_limits(pages: list[tuple[int, str]]) -> None:
    made = report_pdf(report("Gate", "Door"))
    first = " | ".join(text for page, text in pages if page == 1)
    for words in (
        *("Mask report: week 48 of 2026", "Terminal 2", "23 to 29 November 2026"),
        *("200", "75.0 %", "80.0 %", "70 to 90, not audited", "2.0 h"),
        *("What limits these figures", "picture frozen 2.0 h", "may be wrong"),
        *("136.0 h of 336.0 h (40.5 %)", "All 2 cameras: nobody has compared", "Mask rate by day"),
    ):
        assert words in first, words
    assert made.startswith(b"%PDF-")
    assert len(made) < 200_000, "fonts are cut down to the letters used"


def test_each_of_many_cameras_has_a_row(pages: list[tuple[int, str]]) -> None:
    report_pdf(report(*(f"Camera {number}" for number in range(60))))
    drawn = {text for _, text in pages}
    assert {f"Camera {number}" for number in range(60)} <= drawn
    assert max(page for page, _ in pages) > 2


def test_a_week_without_anything_says_so(pages: list[tuple[int, str]]) -> None:
    full = report("Gate")
    gap = replace(full.summary.period, amounts={})
    summary = replace(full.summary, period=gap, groups=(), corrected=CorrectedRate(None))
    report_pdf(replace(full, summary=summary))
    assert "No camera was analysed in this week." in [text for _, text in pages]


def test_letters_of_many_scripts_are_drawn_and_missing_ones_are_named(
    pages: list[tuple[int, str]],
) -> None:
    report_pdf(report("Прибытие", "بوابة", "יציאה", "Ναός", "Gate \U00012000"))
    drawn = [text for _, text in pages]
    assert f"Gate {MISSING}" in drawn
    assert any("that no font on this server has" in text for text in drawn)
    assert {"Прибытие", "بوابة", "יציאה", "Ναός"} <= set(drawn)


def test_a_font_of_the_system_fills_in() -> None:
    own = Fonts(FPDF(), "शुल्क Gate", system=())
    assert "श" in own.missing
    assert own.shown("श Gate") == f"{MISSING} Gate"
    found = [path for path in SYSTEM if path.is_file()]
    if not found:
        pytest.skip("this machine has none of the fonts")
    assert Fonts(FPDF(), "शुल्क Gate", system=(Path("/nowhere.ttf"), *found)).missing < own.missing
