"""Memory that is kept for the next picture."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import resource, sys
import cv2, numpy as np
from contract.memory import keep_freed_memory

if sys.argv[1] == "keep" and not keep_freed_memory():
    print("no such setting")
    raise SystemExit
jpeg = cv2.imencode(".jpg", np.zeros((1080, 1920, 3), np.uint8))[1]
for _ in range(5):
    cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(how: str) -> str:
    command = [sys.executable, "-c", PROGRAM, how]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_pictures_after_the_first_take_no_memory_from_the_kernel() -> None:
    kept = page_faults("keep")
    if kept != "no such setting":
        assert int(kept) < 500
        assert int(page_faults("leave")) > 5000
