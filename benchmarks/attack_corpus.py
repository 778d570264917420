"""Every attack on the running product, one subject after another.

python -m benchmarks.attack_corpus [--only SUBJECT ...] [--checkout OTHER]

Prints a line of JSON for each attack. Exit status 1: one did not hold, or could not be made.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from benchmarks.attacks import (
    addresses,
    files,
    hostile_input,
    led_elsewhere,
    load,
    outward,
    restarts,
    rights,
    web_cameras,
    words,
)
from benchmarks.attacks.report import Attack, add_checkout, print_attack

Make = Callable[[Path], Iterator[Attack]]
SUBJECTS: Final[dict[str, Make]] = {
    "addresses": addresses.attacks,
    "led_elsewhere": led_elsewhere.attacks,
    "hostile_input": hostile_input.attacks,
    "words": words.attacks,
    "load": load.attacks,
    "rights": rights.attacks,
    "files": files.attacks,
    "outward": outward.attacks,
    "restarts": restarts.attacks,
    "web_cameras": web_cameras.attacks,
}


def try_subjects(subjects: Iterable[str], checkout: Path) -> bool:
    """Print what each attack came to; whether all held. One that cannot be made did not."""
    held = True
    for subject in subjects:
        try:
            for attack in SUBJECTS[subject](checkout):
                print_attack(attack)
                held &= attack.held
        except (Exception, SystemExit) as error:  # the other subjects are tried all the same
            seen = f"could not be made: {error!r:.500}"
            print_attack(Attack(0, f"the attacks on {subject}", False, seen))
            held = False
    return held


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=SUBJECTS, default=SUBJECTS, metavar="SUBJECT")
    add_checkout(parser)
    chosen = parser.parse_args()
    if not try_subjects(chosen.only, chosen.checkout.resolve()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
