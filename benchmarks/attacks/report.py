"""What an attack on the running product came to, as a line of JSON."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.system import ROOT


@dataclass(frozen=True)
class Attack:
    """One attack, tried."""

    line: int
    """The line of the table of findings that it tries; 0 for one found since."""
    what: str
    """The attack, in a few words."""
    held: bool
    """Whether the product withstood it."""
    seen: str
    """What was seen, with its figures."""
    result: str = "G1"


def print_attack(attack: Attack) -> None:
    """Print one attack as a line of JSON."""
    fields = asdict(attack)
    print(json.dumps({"result": fields.pop("result"), **fields}), flush=True)


def add_checkout(parser: argparse.ArgumentParser) -> None:
    """Let the command line say whose product is attacked."""
    parser.add_argument(
        "--checkout", type=Path, default=ROOT, help="attack the product of this checkout instead"
    )


def attacked_checkout(what: str) -> Path:
    """Return the checkout whose product is to be attacked, from the command line."""
    parser = argparse.ArgumentParser(description=what)
    add_checkout(parser)
    return Path(parser.parse_args().checkout).resolve()
