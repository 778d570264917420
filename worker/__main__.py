"""`python -m worker`."""

from __future__ import annotations

from runtime.stage import run_stage
from worker.service import run

if __name__ == "__main__":
    run_stage("worker", run)
