"""Hostile texts, from outside and to every parser: result G3, and lines 9 and 15.

python -m benchmarks.attacks.hostile_input [--checkout OTHER]
"""

from __future__ import annotations

import json
import logging
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from benchmarks.attacks.report import Attack, attacked_checkout, print_attack
from benchmarks.system import ROOT, running_dashboard
from tests.expressions import Expression, expressions
from tests.parsers import Parser, parsers
from tests.work import MOST_GROWTH, growth

LONGEST: Final = 64 * 1024
SLOW_S: Final = 1.0
DRAWN: Final = [[0.1, 0.6], [0.9, 0.6]]
IMPORTS: Final = {
    "260 kB to base 60": b"- name: x\n  source: 'demo:'\n  max_width: "
    + b":".join([b"1"] * 130_000),
    "2 MB of `- a`": b"- a\n" * 500_000,
    "directives": b"".join(b"%%TAG !a%d! b\n" % number for number in range(20_000)) + b"--- a",
}
NAMES: Final = ("Do\nor", "Do\x1b[2Jor", "Do\0or", "Do\u202eor", "Do\x9bor")


def attacks(checkout: Path) -> Iterator[Attack]:
    """Try lines 9 and 15 on the dashboard of a checkout; and every parser, if it is this one."""
    with running_dashboard(checkout=checkout) as dashboard:
        ask = _Asking(dashboard)
        for what, data in IMPORTS.items():
            began_s = time.monotonic()
            status = ask("/api/v1/cameras/import?dry_run=1", data, "application/yaml")
            took_s = time.monotonic() - began_s
            yield Attack(9, f"import of {what}", took_s < SLOW_S, f"{status} after {took_s:.2f} s")
        for number, name in enumerate(NAMES):
            line = {"name": name, "points": DRAWN}
            body = {"name": f"Gate {number}", "source": "demo:", "lines": [line]}
            status = ask("/api/v1/cameras", json.dumps(body).encode())
            yield Attack(15, f"a line called {name!r}", status == 422, f"status {status}")
        for what, text in {"deep JSON": "[" * 60_000, "half a character": '{"\\ud800": 1}'}.items():
            status = ask("/api/v1/cameras", text.encode())
            yield Attack(15, what, 400 <= status < 500, f"status {status}")
    if checkout == ROOT:
        yield _growth()


class _Asking:
    """An administrator's requests; returns the status of each."""

    def __init__(self, dashboard: Any) -> None:
        self._dashboard = dashboard

    def __call__(self, path: str, data: bytes, media: str = "application/json") -> int:
        headers = {**self._dashboard.authorization(), "Content-Type": media}
        asked = urllib.request.Request(self._dashboard.url + path, data, headers)
        try:
            with urllib.request.urlopen(asked, timeout=120) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code


def _growth() -> Attack:
    """Try every parser and expression of this checkout up to 64 kB; the worst growth of all."""
    logging.disable(logging.CRITICAL)
    inputs, worst, of = 0, 0.0, ""
    readers: list[Parser | Expression] = [*parsers(), *expressions()]
    for reader in readers:
        for shape in reader.shapes():
            inputs += 1
            found = growth(reader, shape, LONGEST)
            if found.times > worst:
                worst, of = found.times, f"{reader.name}: {found}"
    what = f"{len(parsers())} parsers, {len(readers) - len(parsers())} regular expressions"
    return Attack(
        0,
        f"{what}: {inputs} inputs of n and 4n, {LONGEST} characters at most",
        worst <= MOST_GROWTH,
        f"worst growth {worst:.1f}, {MOST_GROWTH} allowed: {of[:300]}",
        "G3",
    )


def main() -> None:
    """Print what each attack came to."""
    for attack in attacks(attacked_checkout(__doc__ or "")):
        print_attack(attack)


if __name__ == "__main__":
    main()
