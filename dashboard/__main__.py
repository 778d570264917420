"""Run the dashboard: `python -m dashboard`."""

from __future__ import annotations

import logging
import sys

from contract.errors import SettingsError
from contract.logs import configure_logging
from contract.settings import load_settings
from dashboard.server import run

_log = logging.getLogger("dashboard")


def main() -> int:
    """Serve until told to stop; 2 when a setting cannot be used."""
    try:
        settings = load_settings()
        configure_logging("dashboard", settings.log_level)
        _log.info("serving on http://%s:%d", settings.host, settings.port)
        run(settings)
    except SettingsError as error:
        configure_logging("dashboard")
        _log.error("%s", error)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
