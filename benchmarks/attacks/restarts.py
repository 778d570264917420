"""Restarts of Redis as each set-up has it, and what is there afterwards (line 12; result 6).

python -m benchmarks.attacks.restarts [--checkout OTHER]

Each set-up runs with the command line, the configuration and the users of the checkout's own
files: docker-compose.yml, the Helm chart, deploy/systemd/README.md, `maskwatch redis-acl`. A camera
with a person counted, an account, an API key, a channel and an alert rule are stored; then Redis
ends in five ways, each time with a camera more, and starts again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final

from redis import Redis

from benchmarks.attacks.report import Attack, attacked_checkout, print_attack
from bus.bus import Bus
from maskwatch import backup
from tests.builders import add_camera
from tests.servers import redis_ends, redis_setups
from tests.servers.redis_setups import Setup
from tests.stored import store_something

Make = Callable[..., Setup]
OF_THE_CHECKOUT: Final[tuple[Make, ...]] = (
    *(redis_setups.compose, redis_setups.helm, redis_setups.helm_tls, redis_setups.systemd),
    *(redis_setups.replicated, redis_setups.cluster),
)
OURS: Final[tuple[Make, ...]] = (redis_setups.embedded, redis_setups.one_password)
NEWEST: Final = "7"
Amounts = dict[str, int]


def amounts(redis: Redis) -> Amounts:
    """How much there is of everything that a backup holds."""
    found = backup.take(Bus(redis).backups, "")
    people = sum(int(float(one.totals.get("people:mask", 0))) for one in found.counts.values())
    kinds = ("cameras", "users", "api_keys", "channels", "rules")
    return {"people": people, **{kind: len(getattr(found, kind)) for kind in kinds}}


def survive(make: Callable[[Path, str], Setup]) -> tuple[dict[str, Amounts], dict[str, Amounts]]:
    """What was stored before each kind of end, and what was there after it."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        setup = make(Path(folder), NEWEST)
        stack.callback(setup.kill)
        setup.start()
        store_something(setup.client())
        before, after = {}, {}
        for end in redis_ends.ENDS:
            add_camera(setup.client(), end.__name__)
            before[end.__name__] = amounts(setup.client())
            end(setup)
            setup.start()
            after[end.__name__] = amounts(setup.client())
        return before, after


def matrix(checkout: Path) -> Iterator[tuple[str, dict[str, Amounts], dict[str, Amounts]]]:
    """Each set-up by name, with what was stored and what was there."""
    for make in (*OF_THE_CHECKOUT, *OURS):
        chosen = partial(make, root=checkout) if make in OF_THE_CHECKOUT else make
        yield (str(getattr(make, "__name__", make)), *survive(chosen))


def attacks(checkout: Path) -> Iterator[Attack]:
    """Restart every set-up."""
    for name, before, after in matrix(checkout):
        lost = {end: found for end, found in after.items() if found != before[end]}
        seen = f"stored {before}; " + (f"afterwards {lost}" if lost else "all there afterwards")
        yield Attack(12, f"restart Redis: {name}", not lost, seen, "G6")


def main() -> None:
    """Print a line of JSON for each set-up."""
    for attack in attacks(attacked_checkout(__doc__ or "")):
        print_attack(attack)


if __name__ == "__main__":
    main()
