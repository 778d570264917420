"""Memory that is kept for the next picture."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import resource, sys
import cv2, numpy as np
from runtime.memory import keep_freed_memory

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


FORWARDER = """
import sys
import psutil
from runtime.memory import give_back_freed_memory

if sys.argv[1] == "give back" and not give_back_freed_memory():
    print("no such setting")
    raise SystemExit
bytes(300_000)  # glibc moves its threshold when the first is freed
kept, before = [], psutil.Process().memory_info().rss
for _ in range(100):
    pictures = [bytearray(b"x") * 200_000 for _ in range(2)]
    kept.append(bytearray(20_000))  # lives on, behind them
    del pictures
passed = [bytearray(b"x") * 200_000 for _ in range(100)]
kept.append(bytearray(20_000))
del passed
print(psutil.Process().memory_info().rss - before)
"""


def test_who_passes_pictures_on_holds_nothing_of_its_busiest_moment() -> None:
    def grown(how: str) -> str:
        command = [sys.executable, "-c", FORWARDER, how]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    given_back = grown("give back")
    if given_back != "no such setting":
        assert int(given_back) < 6_000_000
        assert int(grown("leave")) > 12_000_000


BATCHES = """
import numpy as np
import psutil
from models.loading import load_classifier

classifier = load_classifier(device="cpu", threads=1)
side = classifier.input_size
def classify(faces):
    classifier.classify(np.zeros((faces, side, side, 3), np.uint8))
classify(32)
before = psutil.Process().memory_info().rss
for faces in (20, 25, 8, 15, 5, 10, 30, 32, 3, 17, 28):
    classify(faces)
print(psutil.Process().memory_info().rss - before)
"""


def test_smaller_batches_take_little_more_than_the_largest_took() -> None:
    command = [sys.executable, "-c", BATCHES]
    grown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert int(grown) < 45_000_000
