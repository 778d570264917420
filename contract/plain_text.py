"""Text from outside as it may be kept and shown: names that people type, and what machines say.

Line breaks, escape sequences (C0, C1), NUL, and marks that turn the direction of writing can forge
a line of a log, rewrite a terminal, or make one name look like another.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import AfterValidator, ValidationInfo

JOINERS: Final = "\u200c\u200d"
"""Zero-width non-joiner and joiner: invisible, but Persian, many scripts of India and emoji are
spelt with them."""
INSTEAD: Final = "\ufffd"
"""What `cleaned` puts in the place of a character that may not be shown."""
STORED: Final[dict[str, Any]] = {"stored": True}
"""Pydantic context for a record that is kept already: its names are cleaned, never refused, so that
a stricter rule loses nobody a camera."""
MOST_WORDS: Final = 1000
"""Characters of what a camera, say, has to tell people."""
_WITHOUT_JOINERS: Final = str.maketrans("", "", JOINERS)


def is_plain(text: str) -> bool:
    r"""Whether every character can be printed on one line.

    >>> is_plain("Gate 1"), is_plain("Gate\n1"), is_plain("\u202eetaG")
    (True, False, False)
    """
    return text.translate(_WITHOUT_JOINERS).isprintable()


def cleaned(text: str) -> str:
    """Return text with a mark in the place of each character that may not be shown."""
    if is_plain(text):
        return text
    return "".join(one if is_plain(one) else INSTEAD for one in text)


def escaped(text: str, keep: str = "") -> str:
    r"""Return text with each character that may not be shown written out, but those in `keep`.

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
    """Return what a machine says as people may read it: on one line, and not too long."""
    return escaped(shortened(text, MOST_WORDS))


def check_name(name: str) -> str:
    """Return a name that somebody typed; raise `ValueError` when it has what a name must not."""
    if not is_plain(name):
        raise ValueError("a name is printable text, without line breaks and control characters")
    if not name.strip(JOINERS + " "):
        raise ValueError("a name has something to see")
    return name


def _plain_name(name: str, info: ValidationInfo) -> str:
    return cleaned(name) if info.context == STORED else check_name(name)


PlainWords = Annotated[str, AfterValidator(plain_words)]
"""What a process left in Redis for people to read."""
PLAIN_NAME: Final = AfterValidator(_plain_name)
"""For each name that a person types, after its length: `Annotated[str, Field(...), PLAIN_NAME]`."""
