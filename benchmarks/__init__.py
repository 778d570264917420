"""Measurements anyone can repeat: `python -m benchmarks.NAME`, each printing what it found.

Those that need real clips read them from `../shared` beside the project and say so when it is
not there. Results are quoted with the machine they were taken on; nothing here is a test.
"""

import models  # noqa: F401 - before any neural runtime: it keeps them quiet
