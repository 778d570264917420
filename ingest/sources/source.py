"""Opens any kind of source."""

from __future__ import annotations

import time
from collections.abc import Callable

from contract.cameras.picture_options import AS_SIGNALLED, PictureOptions
from contract.errors import SourceLockedError
from contract.redaction import HIDDEN
from ingest.captured import LifeSign, OpenSource
from ingest.reach.address import parse_source
from runtime.settings import Settings


def open_source(
    source: str,
    settings: Settings,
    life: LifeSign,
    clock: Callable[[], float] = time.time,
    options: PictureOptions = AS_SIGNALLED,
) -> OpenSource:
    """Open any kind of source; its frames are stamped by `clock` and seen as `options` say.

    Raises:
        SourceError: it cannot be opened, and why.
    """
    if HIDDEN in source:
        raise SourceLockedError(
            "the camera's address is encrypted, and ingest cannot decrypt it; give ingest the key "
            "file with which the address was saved (MASKWATCH_SECRET_KEY_FILE), or enter the "
            "whole address again"
        )
    address = parse_source(source)
    if address.kind == "demo":
        # Its drawing loads more than other readers should pay for.
        from ingest.demo.source import open_demo

        return open_demo(source, life, clock, options)
    from ingest.sources.video import VideoSource

    return VideoSource.open(address, settings, life, clock, options)
