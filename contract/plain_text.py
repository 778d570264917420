"""Makes text from users and machines safe to store and show.

Line breaks, escape sequences (C0, C1), NUL, and marks that change the direction of writing can
forge a line of a log, rewrite a terminal, or make one name look like another.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import AfterValidator

JOINERS: Final = "\u200c\u200d"
"""Zero-width non-joiner and joiner: invisible, but Persian, many scripts of India and emoji are
spelt with them."""
INSTEAD: Final = "\ufffd"
"""Replacement for a character that may not be shown."""
STORED: Final[dict[str, Any]] = {"stored": True}
"""Pydantic context for a stored record: its names are cleaned, never refused, so that a
stricter rule does not make a stored camera unreadable."""
MOST_WORDS: Final = 1000
"""Most characters of a machine's message, such as a camera's, that we show."""
_WITHOUT_JOINERS: Final = str.maketrans("", "", JOINERS)


def is_plain(text: str) -> bool:
    r"""Whether every character can be printed on one line.

    >>> is_plain("Gate 1"), is_plain("Gate\n1"), is_plain("\u202eetaG")
    (True, False, False)
    """
    return text.translate(_WITHOUT_JOINERS).isprintable()


def cleaned(text: str) -> str:
    """Return text with `INSTEAD` for each character that may not be shown."""
    if is_plain(text):
        return text
    return "".join(one if is_plain(one) else INSTEAD for one in text)


def escaped(text: str, keep: str = "") -> str:
    r"""Return text with an escape for each character that may not be shown, except those in `keep`.

    >>> escaped("a\x9bb\n")
    'a\\x9bb\\n'
    """
    if is_plain(text):
        return text
    return "".join(
        one if is_plain(one) or one in keep else one.encode("unicode_escape").decode()
        for one in text
    )


def shortened(text: str, most: int) -> str:
    """Return text of at most `most` characters, with `…` where it was cut."""
    return text if len(text) <= most else text[: most - 1] + "…"


def plain_words(text: str) -> str:
    """Return a machine's message for users: on one line, and shortened."""
    return escaped(shortened(text, MOST_WORDS))


PlainWords = Annotated[str, AfterValidator(plain_words)]
"""Text in Redis that a process wrote for users."""


FORMULA: Final = tuple("=+-@\t\r'")
"""Characters that a spreadsheet's cell must not begin with. The apostrophe guards the others."""


def guarded(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula (OWASP, "CSV Injection").

    >>> guarded("=1+1")
    "'=1+1"
    """
    return f"'{text}" if text.startswith(FORMULA) else text
