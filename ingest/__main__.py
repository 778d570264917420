"""`python -m ingest`: one ingest process, set up by `MASKWATCH_*` in the environment."""

from __future__ import annotations

import sys

from contract.errors import MaskwatchError
from contract.settings import load_settings
from ingest.service import run

if __name__ == "__main__":
    try:
        run(load_settings())
    except MaskwatchError as error:
        sys.exit(f"ingest: {error}")
