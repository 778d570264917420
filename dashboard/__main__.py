"""`python -m dashboard`."""

from __future__ import annotations

from dashboard.serving.server import run
from runtime.stage import run_stage

if __name__ == "__main__":
    run_stage("dashboard", run)
