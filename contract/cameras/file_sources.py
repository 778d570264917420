"""Which sources of cameras are files, and who may name which."""

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
    "a file is read from the folders that MASKWATCH_SOURCE_FOLDERS names, or where an "
    "administrator of all cameras names it"
)


def names_file(source: str) -> bool:
    """Whether a source is a file's path: all that is no network's, webcam's or demo's."""
    source = source.strip()
    elsewhere = NETWORK.fullmatch(source) or WEBCAM.fullmatch(source)
    return not (elsewhere or source.startswith((DEMO_PREFIX, "browser:")))


def lacks_scheme(source: str) -> bool:
    """Whether what counts as a file's path is rather a network's address, typed without `rtsp://`.

    As a path it would be kept and shown in clear, its password included. A path that begins
    with `/`, `./` or `../` is one, whatever its name.

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
    """The folders of `MASKWATCH_SOURCE_FOLDERS`."""
    return tuple(Path(part) for part in map(str.strip, setting.split(",")) if part)


def lies_within(path: str, folders: Sequence[Path]) -> bool:
    """Whether a path is in one of the folders by its name alone.

    Nothing is looked up, since what is there is nobody's business: ingest, which opens the file,
    looks at where it really lies.
    """
    return any(named(path).is_relative_to(named(str(folder))) for folder in folders)


def named(path: str) -> Path:
    """A path as it is written, absolute and without `..`; no link in it is followed."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - which would follow links
