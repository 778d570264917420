"""`python -m ingest`: one ingest process."""

from __future__ import annotations

from contract.main import run_stage
from ingest.service import run

if __name__ == "__main__":
    run_stage("ingest", run)
