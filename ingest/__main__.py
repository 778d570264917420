"""`python -m ingest`: one ingest process."""

from __future__ import annotations

from ingest.process.service import run
from runtime.stage import run_stage

if __name__ == "__main__":
    run_stage("ingest", run)
