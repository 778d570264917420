"""`python -m dashboard`."""

from __future__ import annotations

from contract.main import run_stage
from dashboard.server import run

if __name__ == "__main__":
    run_stage("dashboard", run)
