"""The fonts of a PDF: one that Maskwatch brings, and those of this machine for other scripts.

DejaVu Sans has Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew and Arabic letters. Chinese,
Japanese, Korean and Indic letters need a font of tens of megabytes, which the operating system
installs. A character that no font has is shown as `MISSING`, and the document says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from fpdf import FPDF

FAMILY: Final = "DejaVu"
OWN: Final = Path(__file__).parent / "fonts"
MISSING: Final = "\N{WHITE SQUARE}"
SYSTEM: Final = (
    Path("/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf"),
    Path("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc"),
    Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
    Path("/usr/share/fonts/truetype/freefont/FreeSans.ttf"),
    Path("/usr/share/fonts/truetype/unifont/unifont.ttf"),
)
"""Debian's fonts with more scripts: fonts-droid-fallback, fonts-wqy-zenhei, fonts-noto-cjk,
fonts-freefont-ttf and fonts-unifont."""


class Fonts:
    """Loads the fonts that a document's names need, and replaces characters that none has."""

    def __init__(self, pdf: FPDF, names: str, system: tuple[Path, ...] = SYSTEM) -> None:
        """`names`: all text of the document that users wrote."""
        pdf.add_font(FAMILY, "", OWN / "DejaVuSans.ttf")
        pdf.add_font(FAMILY, "B", OWN / "DejaVuSans-Bold.ttf")
        known = set(_characters(pdf, FAMILY.lower()))
        self.missing = {one for one in names if ord(one) not in known and one.isprintable()}
        added = []
        for number, path in enumerate(system):
            if self.missing and path.is_file():
                family = f"more{number}"
                pdf.add_font(family, "", path)
                has = set(_characters(pdf, family))
                found = {one for one in self.missing if ord(one) in has}
                self.missing -= found
                added += [family] * bool(found)
        if added:
            pdf.set_fallback_fonts(added, exact_match=False)
        self._missing = str.maketrans(dict.fromkeys(self.missing, MISSING))

    def shown(self, text: str) -> str:
        """Return text with `MISSING` for every character that no font has."""
        return text.translate(self._missing)


def _characters(pdf: FPDF, font: str) -> Iterator[int]:
    fonts: dict[str, Any] = pdf.fonts
    yield from fonts[font].cmap
