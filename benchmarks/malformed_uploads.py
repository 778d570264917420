"""Malformed uploads to the running dashboard: a clear 4xx each, and its memory stays flat.

python -m benchmarks.malformed_uploads [--uploads 500]

What is wrong with them is in `tests/malformed.py`: images cut off or of noise, huge dimensions,
other kinds of files, zip bombs, empty files and bodies, too many parts, broken forms.
"""

from __future__ import annotations

import argparse
import json
import urllib.error
import urllib.request
from collections import Counter

from benchmarks.system import System, machine, print_result, running_system, wait_until
from bus.keys import UPLOADED_PICTURES
from tests.malformed import KINDS, Malformed, malformed_uploads

GROWTH_MB: float = 8.0
"""Flat: less than this from the end of the warm-up, in which each kind came once, to the end."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uploads", type=int, default=500)
    options = parser.parse_args()
    print(machine())
    uploads = malformed_uploads(options.uploads)
    statuses: Counter[int] = Counter()
    unclear: list[str] = []
    with running_system({"CAMERAS": "idle=/nowhere.mp4"}) as system:
        wait_until(lambda: system.processes().get("maskwatch images"), 30, "images", system)
        for upload in malformed_uploads(len(KINDS)):
            send(system, upload)
        before_mb = peak_mb = memory_mb(system)
        for upload in uploads:
            status, detail = send(system, upload)
            statuses[status] += 1
            if not 400 <= status < 500 or len(detail) < 30:
                unclear.append(f"{upload.what}: {status} {detail[:80]}")
            peak_mb = max(peak_mb, memory_mb(system))
        after_mb = memory_mb(system)
        left = len(list(system.redis.scan_iter(UPLOADED_PICTURES)))
    print("\n".join(unclear))
    print(dict(sorted(statuses.items())))
    clear = len(uploads) - len(unclear)
    target = f"{len(uploads)} of {len(uploads)}"
    print_result("D5 malformed uploads answered with a clear 4xx", clear, "", target, not unclear)
    print_result("D5 uploaded pictures left in Redis", left, "", "0", left == 0)
    grown = round(after_mb - before_mb, 1)
    words = f"< {GROWTH_MB:g}"
    print(f"dashboard {before_mb:.0f} MB before, {peak_mb:.0f} at most, {after_mb:.0f} after")
    print_result("D5 dashboard's memory grown by", grown, "MB", words, grown < GROWTH_MB)


def send(system: System, upload: Malformed) -> tuple[int, str]:
    """The answer's status and detail."""
    request = urllib.request.Request(
        f"{system.url}/api/v1/uploads",
        data=upload.body,
        headers={
            "Content-Type": upload.content_type,
            **dict(upload.headers),
            **system.authorization(),
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status), ""
    except urllib.error.HTTPError as error:
        with error:
            return error.code, str(json.loads(error.read()).get("detail", ""))
    except (urllib.error.URLError, OSError) as error:
        return 0, f"no answer: {error}"


def memory_mb(system: System) -> float:
    """What the dashboard's processes use of their own, in MB."""
    processes = system.processes()
    ours = processes.get("dashboard", []) + processes.get("dashboard child", [])
    return float(sum(process.memory_full_info().uss for process in ours)) / 1e6


if __name__ == "__main__":
    main()
