"""Which sources of cameras are files, and which files an account may use."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

DEMO_PREFIX: Final = "demo:"
NETWORK: Final = re.compile(r"(rtsps?|https?)://(.*)", re.IGNORECASE | re.DOTALL)
WEBCAM: Final = re.compile(r"\d{1,2}|/dev/video\d+")
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
