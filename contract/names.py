"""Names that people type: of cameras, groups, lines, zones, rules, channels, accounts and keys.

A name is kept composed (Unicode's form NFC), so that a name typed on a Mac and one typed on Windows
are one. What may not stand in a name is told by its own Unicode name and place. Two names that
nobody could tell apart count as one: see `alike`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from pydantic import AfterValidator, ValidationInfo

from contract.plain_text import JOINERS, STORED, cleaned, is_plain

INVISIBLE: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters, marks and a symbol that count as printable, but show nothing."""
_NAMELESS: Final = {
    "\0": "NULL",
    "\t": "TAB",
    "\n": "LINE FEED",
    "\r": "CARRIAGE RETURN",
    "\x1b": "ESCAPE",
}
"""Unicode names no control character."""
_NEVER_JOINED: Final = re.compile(
    r"(LATIN|GREEK|CYRILLIC|ARMENIAN|HEBREW|GEORGIAN|COMBINING|THAI|CJK|HIRAGANA|KATAKANA|HANGUL"
    r"|FULLWIDTH)\b"
)
"""Scripts whose letters stand alone or need no joiner, by the first word of a letter's name."""
_SHOWS_NOTHING: Final = re.compile(f"[{JOINERS}\ufe00-\ufe0f]")
"""Joiners, and selectors of a character's form."""


def composed(name: str) -> str:
    """Return a name in Unicode's form NFC, in which all names are kept and compared."""
    return unicodedata.normalize("NFC", name)


def alike(name: str) -> str:
    r"""Return what two names have in common that look the same or nearly so.

    Ignores upper and lower case, kinds of blanks and their number, joiners, forms of letters such
    as full width, and whether accents are composed (Unicode's NFKC with full case folding).

    >>> alike("Ga\u0308te \uff11") == alike("g\xe4te\xa01")
    True
    """
    folded = unicodedata.normalize("NFKC", _SHOWS_NOTHING.sub("", name)).casefold()
    return unicodedata.normalize("NFKC", " ".join(folded.split()))


def other_spelling(name: str, known: Iterable[str]) -> str:
    """Return the one of the `known` names that looks like `name` but is not the same; or ""."""
    wanted = alike(name)
    return next((one for one in known if one != name and alike(one) == wanted), "")


def check_name(name: str) -> str:
    """Return a typed name composed (NFC); raise `ValueError` for a character that may not be in it.

    Joiners are taken where Unicode has a use for them: between letters of scripts that join, as in
    Persian and Hindi, and between emoji.
    """
    name = composed(name)
    for place, character in enumerate(name):
        if reason := _reason_against(name, place):
            raise ValueError(f"character {place + 1} is {_called(character)}, which {reason}")
    if all(unicodedata.category(one)[0] in "ZM" or one in JOINERS for one in name):
        raise ValueError("a name must have a visible character")
    return name


def _reason_against(name: str, place: int) -> str:
    character = name[place]
    if character in JOINERS:
        around = name[max(0, place - 1) : place] + name[place + 1 : place + 2]
        joined = len(around) == 2 and all(map(_is_joined, around))
        return "" if joined else "joins nothing here; remove it"
    if is_plain(character) and character not in INVISIBLE:
        return ""
    if unicodedata.category(character) == "Zs":
        return "looks like a blank; type a plain one"
    if character in INVISIBLE or unicodedata.category(character) == "Cf":
        return "is invisible in a printable name; remove it"
    return "is not printable; remove it"


def _is_joined(character: str) -> bool:
    """Whether a joiner beside this character can change how it is written."""
    kind = unicodedata.category(character)
    if kind[0] not in "LM" and kind not in {"So", "Sk"}:
        return False
    return not _NEVER_JOINED.match(unicodedata.name(character, ""))


def _called(character: str) -> str:
    """A character's number and name, such as `U+00A0 NO-BREAK SPACE`."""
    name = _NAMELESS.get(character) or unicodedata.name(character, "a character without a name")
    return f"U+{ord(character):04X} {name}"


def _plain_name(name: str, info: ValidationInfo) -> str:
    if info.context == STORED:
        return composed(cleaned(name))
    return check_name(name)


PLAIN_NAME: Final = AfterValidator(_plain_name)
"""Validator of every typed name, after its length: `Annotated[str, Field(...), PLAIN_NAME]`."""
OPTIONAL_NAME: Final = AfterValidator(lambda name, info: _plain_name(name, info) if name else name)
"""The same for a name that may be empty."""
