"""Which sources of cameras are files, and which files an account may use."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Final

DEMO_PREFIX: Final = "demo:"
NETWORK: Final = re.compile(r"(rtsps?|https?)://(.*)", re.IGNORECASE | re.DOTALL)
WEBCAM: Final = re.compile(r"\d{1,2}|/dev/video\d+")
SCHEMES: Final = ("rtsp", "rtsps", "http", "https")
LIKENESS: Final = 0.7
"""Smallest share of letters in common at which a type counts as misspelt, not as another one."""
_TYPED_SCHEME: Final = re.compile(r"([A-Za-z]{3,7})[:;]/")
_IPV4: Final = re.compile(r"\d{1,3}(\.\d{1,3}){3}\Z")
HOW_TO_HAVE_ONE: Final = (
    "a file must be in a folder of MASKWATCH_SOURCE_FOLDERS, or be added by an administrator of "
    "all cameras"
)


def names_file(source: str) -> bool:
    """Whether a source is a file's path: not a network address, webcam or demo camera."""
    source = source.strip()
    elsewhere = NETWORK.fullmatch(source) or WEBCAM.fullmatch(source)
    return not (elsewhere or source.startswith((DEMO_PREFIX, "browser:")))


def lacks_scheme(source: str) -> bool:
    """Whether an apparent file path is more likely a network address, typed without `rtsp://`.

    As a path it would be stored and shown in clear, including its password. A text that begins
    with `/`, `./` or `../` is always a path.

    >>> [lacks_scheme(source) for source in ("admin:pw@host/x", "rtsp:/u:p@h", "clips/hall.mp4")]
    [True, True, False]
    """
    source = source.strip()
    if not names_file(source) or source.startswith(("./", "../")):
        return False
    if source.startswith("/"):
        return source.startswith("//") and "@" in source
    first = source.partition("/")[0]
    within = any(sign in source for sign in ("@", "?", "//")) or "%3a" in source.lower()
    return within or ":" in first or bool(_IPV4.match(first))


def misspelt_scheme(source: str) -> str:
    """Return the type of address that was probably meant; empty if the start is like none.

    >>> [misspelt_scheme(source) for source in ("rstp:/10.0.0.9/live", "htp://h/x", "rtsp:/h/x")]
    ['rtsp', 'http', 'rtsp']
    >>> misspelt_scheme("clips/hall.mp4") + misspelt_scheme("rtsp://h/x")
    ''
    """
    typed = _TYPED_SCHEME.match(source.strip())
    if typed is None or NETWORK.fullmatch(source.strip()):
        return ""
    near = get_close_matches(typed.group(1).lower(), SCHEMES, 1, LIKENESS)
    return near[0] if near else ""


def folders_of(setting: str) -> tuple[Path, ...]:
    """Return the folders of `MASKWATCH_SOURCE_FOLDERS`."""
    return tuple(Path(part) for part in map(str.strip, setting.split(",")) if part)


def lies_within(path: str, folders: Sequence[Path]) -> bool:
    """Whether a path is in one of the folders, judged by its name only.

    The disk is not read, because an answer would reveal which files exist. Ingest checks where the
    file really is when it opens it.
    """
    return any(named(path).is_relative_to(named(str(folder))) for folder in folders)


def named(path: str) -> Path:
    """Return a path as written, but absolute and without `..`; links are not followed."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - which would follow links
