"""Nobody counted twice, nobody lost (results 2 and 6 of "People, counted once").

python -m benchmarks.exactness [--quick]

Runs the project's own tests of exactness, with many more random mishaps than `make test` does:
frames repeated, swapped and lost, answers lost, owners replaced while the old ones go on, minutes
packed meanwhile; any split of a time range; and real worker processes killed with SIGKILL before,
during and after every single commit.
"""

from __future__ import annotations

import argparse

import pytest

from benchmarks.system import ROOT, machine, print_result

MISHAPS = "tests/integration/test_exactness.py::test_no_mishap_counts_anyone_twice_or_loses_a_frame"
KILLS = (
    "tests/integration/test_exactness.py"
    "::test_workers_killed_at_every_commit_count_as_one_that_lives"
)
SPLITS = (
    "tests/unit/test_time_range.py",
    "tests/unit/test_minutes.py",
    "tests/unit/test_history.py",
)


class Tally:
    """How many tests ran and failed, and what they say they did."""

    def __init__(self) -> None:
        self.ran = 0
        self.failed = 0
        self.done: dict[str, int] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.ran += report.when == "call"
        self.failed += report.failed
        for name, amount in report.user_properties:
            if report.when == "call":
                self.done[name] = self.done.get(name, 0) + int(str(amount))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    print(machine())
    profile = "maskwatch" if options.quick else "thorough"
    mishaps = run([MISHAPS], profile)
    done = f"sequences of mishaps ({mishaps.done.get('steps', 0)} steps) without a miscount"
    examples = mishaps.done.get("examples", 0)
    ok = not mishaps.failed and examples > 0
    print_result("C6 mishaps", examples if ok else 0, done, "all", ok)
    splits = run(list(SPLITS), profile)
    ok = not splits.failed and splits.ran > 0
    print_result("C6 splits add up", splits.ran - splits.failed, "tests passed", "all", ok)
    kills = run([KILLS], profile)
    ok = not kills.failed and kills.ran == 3
    done = "workers killed at commit boundaries, nobody lost or counted twice"
    print_result("C2 crash injection", kills.done.get("kills", 0), done, "all", ok)


def run(tests: list[str], profile: str) -> Tally:
    """Run some tests; pytest's own words show what failed."""
    tally = Tally()
    paths = [str(ROOT / test) for test in tests]
    pytest.main(
        ["-q", "-p", "no:cacheprovider", f"--hypothesis-profile={profile}", *paths], [tally]
    )
    return tally


if __name__ == "__main__":
    main()
