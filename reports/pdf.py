"""A report as PDF: figures, what limits them and the days' rates first, then the tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from fpdf import FPDF
from fpdf.enums import TableBordersLayout
from fpdf.fonts import FontFace

from reports.chart import DayMark, day_labels, day_marks
from reports.document import Limit, PeriodReport
from reports.pdf_fonts import FAMILY, MISSING, Fonts
from reports.periods import Compared
from reports.words import (
    UNKNOWN,
    corrected_words,
    everyone,
    hours_words,
    interval_words,
    invalid_words,
    people_change,
    percent_words,
    rate_change,
)

Colour = tuple[int, int, int]
TEXT: Final[Colour] = (26, 34, 43)
MUTED: Final[Colour] = (85, 98, 111)
LINE: Final[Colour] = (205, 213, 220)
WHITE: Final[Colour] = (255, 255, 255)
RAISED: Final[Colour] = (238, 241, 244)
ACCENT: Final[Colour] = (21, 94, 124)
RATE: Final[Colour] = (43, 179, 163)
MARGIN_MM: Final = 16.0
CHART_MM: Final = 42.0
COLUMNS: Final = (
    ("Camera", 41.0),
    ("People", 18.0),
    ("Rate (95 %)", 31.0),
    ("Corrected (95 %)", 32.0),
    ("Change", 20.0),
    ("Unreliable picture", 18.0),
    ("Not analysed", 18.0),
)
"""Headings and widths in millimetres."""
DAY_COLUMNS: Final = (("Day", 43.0), ("People", 18.0), ("Rate (95 %)", 31.0))


def report_pdf(report: PeriodReport) -> bytes:
    """Return the document, A4 upright."""
    return _Document(report).draw()


class _Page(FPDF):
    """Numbers its pages."""

    left_foot = ""

    def footer(self) -> None:
        self.set_y(-13)
        self.set_font(FAMILY, "", 7.5)
        self.set_text_color(*MUTED)
        self.cell(self.epw - 50, 5, self.left_foot)
        self.cell(50, 5, f"Page {self.page_no()} of {{nb}}", align="R")


class _Document:
    def __init__(self, report: PeriodReport) -> None:
        self._report = report
        self._pdf = _Page(format="A4")
        summary = report.summary
        names = [report.scope, *(one.camera.name for one in summary.cameras)]
        names += [group.group for group in summary.groups]
        self._fonts = Fonts(self._pdf, "".join(names))

    def draw(self) -> bytes:
        pdf, report = self._pdf, self._report
        pdf.set_margin(MARGIN_MM)
        pdf.c_margin = 0
        pdf.set_auto_page_break(True, 18)
        pdf.set_text_shaping(True)
        pdf.set_title(self._shown(f"{report.title}, {report.scope}"))
        pdf.set_creator("Maskwatch")
        pdf.set_lang("en")
        pdf.set_creation_date(datetime.fromtimestamp(report.made_at_s, UTC))
        pdf.left_foot = self._shown(f"Maskwatch · {report.scope} · made {report.made_words}")
        pdf.add_page()
        self._head()
        if not report.summary.period.is_gap:
            self._figures()
        self._limits(report.limits())
        if not report.summary.period.is_gap:
            self._chart()
            pdf.add_page()
            self._cameras()
            self._days()
        return bytes(pdf.output())

    def _shown(self, text: str) -> str:
        return self._fonts.shown(text)

    def _write(
        self, text: str, size: float, colour: Colour = TEXT, style: str = "", gap_mm: float = 0
    ) -> None:
        """Write a paragraph over the whole width."""
        pdf = self._pdf
        pdf.set_font(FAMILY, style, size)
        pdf.set_text_color(*colour)
        pdf.multi_cell(0, size * 0.48, self._shown(text), align="L", new_x="LMARGIN", new_y="NEXT")
        pdf.ln(gap_mm)

    def _heading(self, text: str) -> None:
        self._pdf.ln(5)
        self._write(text, 10.5, ACCENT, "B", 1.5)

    def _head(self) -> None:
        report, summary = self._report, self._report.summary
        self._pdf.set_fill_color(*ACCENT)
        self._pdf.rect(0, 0, self._pdf.w, 5, style="F")
        self._write(report.title, 20, TEXT, "B", 1)
        self._write(report.scope, 13, TEXT, "", 1)
        kind = report.span.kind
        compared = (
            f"The {kind} before was not analysed, so there is nothing to compare."
            if summary.before.is_gap
            else f"Compared with the {kind} before."
        )
        self._write(f"{report.span.days_words()} ({report.zone}). {compared}", 9, MUTED, "", 3)
        if summary.period.is_gap:
            self._write(f"No camera was analysed in this {kind}.", 10)

    def _figures(self) -> None:
        summary = self._report.summary
        period, rate, better = summary.period, summary.period.rate, summary.corrected
        n = f"{interval_words(rate)} (95 %), n = {rate.people:,}" if rate.people else ""
        change = rate_change(summary)
        figures = (
            ("People counted", f"{everyone(period):,}", people_change(summary)),
            ("Mask rate", percent_words(rate.rate), n + (f", {change}" if change else "")),
            ("Corrected rate", percent_words(better.rate), corrected_words(better)),
            ("Unknown", percent_words(period.unknown_share), "of the people counted"),
            ("Unreliable picture", invalid_words(period), "in the figures, may be wrong"),
            ("Not analysed", hours_words(period.missing_s), _of_watched(period.watched_s)),
        )
        for start in range(0, len(figures), 3):
            self._figure_row(figures[start : start + 3])

    def _figure_row(self, figures: Sequence[tuple[str, str, str]]) -> None:
        pdf = self._pdf
        top, width = pdf.get_y(), (pdf.epw - 8) / 3
        for number, (title, value, note) in enumerate(figures):
            left = pdf.l_margin + number * (width + 4)
            pdf.set_fill_color(*RAISED)
            pdf.rect(left, top, width, 23, style="F", round_corners=True, corner_radius=1.5)
            lines = ((title, 8.0, MUTED, "", 2.5), (value, 17.0, TEXT, "B", 7.5))
            for text, size, colour, style, below in (*lines, (note, 7.2, MUTED, "", 16.5)):
                pdf.set_xy(left + 3, top + below)
                pdf.set_font(FAMILY, style, size)
                pdf.set_font_size(
                    size * min(1.0, (width - 6) / max(1.0, pdf.get_string_width(text)))
                )
                pdf.set_text_color(*colour)
                pdf.cell(width - 6, size * 0.45, text)
        pdf.set_xy(pdf.l_margin, top + 26)

    def _limits(self, limits: Sequence[Limit]) -> None:
        self._heading("What limits these figures")
        pdf = self._pdf
        pdf.set_font(FAMILY, "", 8.5)
        pdf.set_text_color(*TEXT)
        pdf.set_fill_color(*WHITE)
        pdf.set_draw_color(*LINE)
        with pdf.table(
            col_widths=(38, pdf.epw - 38),
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            first_row_as_headings=False,
            line_height=4.4,
            padding=(1.1, 0),
            align="LEFT",
            text_align="LEFT",
        ) as table:
            for title, words in self._limit_rows(limits):
                row = table.row()
                row.cell(title, style=FontFace(emphasis="B"))
                row.cell(words)

    def _limit_rows(self, limits: Sequence[Limit]) -> Iterator[tuple[str, str]]:
        for limit in limits:
            most = ", ".join(
                f"{self._shown(one.camera)} {percent_words(one.share)}" for one in limit.most
            )
            yield limit.title, limit.words + (f" Most: {most}." if most else "")
        if self._fonts.missing:
            yield (
                "Names",
                f"{MISSING} stands for a character that no font on this server has. The page and "
                "the CSV have the whole names.",
            )

    def _chart(self) -> None:
        self._heading("Mask rate by day")
        pdf, report = self._pdf, self._report
        marks = day_marks(report)
        left, width = pdf.l_margin + 11, pdf.epw - 11
        top = pdf.get_y() + 2
        pdf.set_font(FAMILY, "", 7)
        pdf.set_text_color(*MUTED)
        pdf.set_draw_color(*LINE)
        pdf.set_line_width(0.2)
        for percent in (100, 50, 0):
            y = top + CHART_MM * (1 - percent / 100)
            pdf.line(left, y, left + width, y)
            pdf.set_xy(pdf.l_margin, y - 1.5)
            pdf.cell(9, 3, f"{percent} %", align="R")
        step = width / len(marks)
        for number, mark in enumerate(marks):
            self._bar(mark, left + number * step, step, top)
        below, at = top + CHART_MM + 1, left
        for label, columns in day_labels(report, marks):
            pdf.set_xy(at, below + (4 if report.span.kind == "week" else 0))
            pdf.cell(step * columns, 3.4, label, align="C" if columns == 1 else "L")
            at += step * columns
        pdf.set_xy(pdf.l_margin, below + 9)
        legend = "Bar: the day's rate. Line: its 95 % interval. Grey: not analysed."
        self._write(legend, 7.5, MUTED)

    def _bar(self, mark: DayMark, left: float, step: float, top: float) -> None:
        pdf, rate = self._pdf, mark.rate
        if mark.sums is not None and mark.sums.is_gap:
            pdf.set_fill_color(*LINE)
            pdf.rect(left + step * 0.1, top, step * 0.8, CHART_MM, style="F")
        if rate.rate is None or rate.low is None or rate.high is None:
            return
        height, middle = CHART_MM * rate.rate, left + step / 2
        pdf.set_fill_color(*RATE)
        pdf.rect(left + step * 0.14, top + CHART_MM - height, step * 0.72, height, style="F")
        pdf.set_draw_color(*TEXT)
        pdf.set_line_width(0.4)
        pdf.line(middle, top + CHART_MM * (1 - rate.high), middle, top + CHART_MM * (1 - rate.low))
        if self._report.span.kind == "week":
            pdf.set_font(FAMILY, "B", 8)
            pdf.set_text_color(*TEXT)
            pdf.set_xy(left, top + CHART_MM + 1)
            pdf.cell(step, 3.6, percent_words(rate.rate), align="C")
            pdf.set_font(FAMILY, "", 7)

    def _cameras(self) -> None:
        self._heading("Groups and cameras")
        summary = self._report.summary
        rows: list[tuple[str, Compared, bool]] = [("All", summary, True)]
        for group in summary.groups:
            if len(summary.groups) > 1:
                rows.append((group.group or "Without a group", group, True))
            rows += [(one.camera.name, one, False) for one in group.cameras]
        self._table(
            COLUMNS,
            [((self._shown(name), *_cells(compared)), bold) for name, compared, bold in rows],
        )

    def _days(self) -> None:
        self._heading("Days")
        rows = [
            (
                mark.name,
                UNKNOWN if mark.people is None else f"{mark.people:,}",
                _with(percent_words(mark.rate.rate), interval_words(mark.rate)),
            )
            for mark in day_marks(self._report)
            if mark.sums is not None
        ]
        days = [((*row,), False) for row in rows]
        self._table(DAY_COLUMNS, days)

    def _table(
        self,
        columns: Sequence[tuple[str, float]],
        rows: Sequence[tuple[Sequence[str], bool]],
    ) -> None:
        pdf, (headings, widths_mm) = self._pdf, zip(*columns, strict=True)
        pdf.set_font(FAMILY, "", 7.2)
        pdf.set_fill_color(*WHITE)
        pdf.set_text_color(*TEXT)
        pdf.set_draw_color(*LINE)
        pdf.set_line_width(0.2)
        heading = FontFace(emphasis="B", color=MUTED)
        strong = FontFace(emphasis="B", fill_color=RAISED)
        with pdf.table(
            width=sum(widths_mm),
            col_widths=widths_mm,
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            headings_style=heading,
            line_height=4.2,
            padding=(0.9, 1),
            align="LEFT",
            text_align=("LEFT", *["RIGHT"] * (len(columns) - 1)),
        ) as table:
            table.row(headings)
            for cells, bold in rows:
                table.row(cells, style=strong if bold else None)


def _of_watched(watched_s: float) -> str:
    return f"of {hours_words(watched_s)} of all cameras"


def _cells(compared: Compared) -> tuple[str, ...]:
    period = compared.period
    times = invalid_words(period), hours_words(period.missing_s)
    if period.is_gap:
        return UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, *times
    better = compared.corrected
    low_high = "" if better.low is None else corrected_words(better).partition(",")[0]
    return (
        f"{everyone(period):,}",
        _with(percent_words(period.rate.rate), interval_words(period.rate)),
        _with(percent_words(better.rate), low_high),
        rate_change(compared) or UNKNOWN,
        *times,
    )


def _with(rate: str, interval: str) -> str:
    return f"{rate} ({interval})" if interval else rate
