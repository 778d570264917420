"""Compares what somebody saw of a camera's people with what Maskwatch counted."""

from __future__ import annotations

import secrets

from bus.stores.outcomes import PEOPLE_KEPT
from contract.cameras.camera import Camera
from contract.errors import QueryError
from contract.people.tallies import LONGEST_S, SETTLED_S, Tally
from dashboard.accounts.access import audit as log
from dashboard.accounts.access import identity
from dashboard.audits.tally_answers import NewTally
from dashboard.services import services


def add(camera: Camera, asked: NewTally) -> Tally:
    """Store a tally with what Maskwatch counted in the same seconds.

    Raises:
        QueryError: the times do not fit each other, are too recent, or so long ago that the rows of
            people are gone.
    """
    if not 0 < asked.until_s - asked.from_s <= LONGEST_S:
        raise QueryError(f"until_s: expected at most {LONGEST_S:.0f} s after from_s")
    if services().clock() < asked.until_s + SETTLED_S:
        raise QueryError(
            f"until_s: some may not be counted yet; send it {SETTLED_S:.0f} s after the end"
        )
    if any(not asked.from_s <= time_s <= asked.until_s for time_s in asked.seen):
        raise QueryError("seen: expected times between from_s and until_s")
    tally = Tally(
        secrets.token_hex(8),
        identity().label,
        asked.from_s,
        asked.until_s,
        tuple(sorted(asked.seen)),
        _counted(camera.id, asked.from_s, asked.until_s),
    )
    services().tallies.add(camera.id, tally)
    log("counted people by eye", f"{camera.name}: {len(tally.seen)} people")
    return tally


def _counted(camera_id: str, from_s: float, until_s: float) -> tuple[float, ...]:
    rows, more = services().people.page(camera_id, "+", PEOPLE_KEPT)
    times = sorted(person.last_seen_s for _, person in rows)
    if more and times and times[0] > from_s:
        raise QueryError("from_s: too long ago; the people counted then are no longer listed")
    return tuple(time_s for time_s in times if from_s <= time_s <= until_s)
