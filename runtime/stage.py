"""The common start of every stage."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

from contract.errors import MaskwatchError
from runtime.logs import configure_logging
from runtime.own_files import keep_private, words_at_the_edge
from runtime.settings import Settings, load_settings

_log = logging.getLogger(__name__)


def run_stage(stage: str, run: Callable[[Settings], None]) -> None:
    """Read the settings, set up the log, say so in it, and run.

    Exits with 2 on a faulty configuration, and with 1 where a file cannot be written or read:
    trying again may help then.
    """
    keep_private()
    try:
        settings = load_settings()
        configure_logging(stage, settings.log_level, settings.log_format)
        _log.info("%s starts", stage)
        run(settings)
    except MaskwatchError as error:
        print(f"maskwatch {stage}: {error}", file=sys.stderr)  # noqa: T201 - the user's answer
        raise SystemExit(2) from None
    except OSError as error:
        if not (words := words_at_the_edge(error)):
            raise
        print(f"maskwatch {stage}: {words}", file=sys.stderr)  # noqa: T201 - the user's answer
        raise SystemExit(1) from None
