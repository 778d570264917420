"""Decides which ended tracks were people, and what is kept of each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from contract.people.people import (
    LEAST_CONFIDENCE,
    DiscardCause,
    LineCrossing,
    Person,
    VerdictChange,
)
from contract.people.totals import Increments, crossed_field, discarded_field, people_field
from worker.tracking.track import Track

LEAST_SIGHTINGS: Final = 3
LEAST_TIME_S: Final = 0.35
"""A track seen less often or for less time is a flicker, not a person."""


def count(
    ended: Iterable[Track],
    has_zones: bool,
    increments: Increments,
    least_confidence: float = LEAST_CONFIDENCE,
) -> tuple[Person, ...]:
    """Return the ended tracks that count as people; add all, also discarded ones, to `increments`.

    `has_zones`: whether the camera counts only people who entered one of its zones.
    `least_confidence`: below it a person's verdict is `unknown`.
    """
    people = []
    for track in ended:
        cause = why_nobody(track, has_zones)
        if cause is not None:
            increments.add(discarded_field(cause))
            continue
        person = as_person(track, least_confidence)
        people.append(person)
        increments.add(people_field(person.verdict))
        for crossing in person.crossings:
            increments.add(crossed_field(crossing.line, crossing.direction, person.verdict))
    return tuple(people)


def why_nobody(track: Track, has_zones: bool) -> DiscardCause | None:
    """Return why an ended track is discarded; None if it is a person.

    A person was seen in at least 3 frames over at least 0.35 s, and not as a second box on
    another's face; moved, or stayed for less than `STATIC_AFTER_S`; convinced the detector or the
    classifier that this is a face; and entered a zone if the camera has zones. A person who could
    not be judged counts, as `unknown`.
    """
    if track.static:
        return "static"
    if track.sightings < LEAST_SIGHTINGS:
        return "duplicate" if track.doubled > track.sightings else "flicker"
    if track.seen_for_s < LEAST_TIME_S:
        return "flicker"
    if track.is_no_face:
        return "no_face"
    if has_zones and not track.passage.zones:
        return "outside_zone"
    return None


def as_person(track: Track, least_confidence: float = LEAST_CONFIDENCE) -> Person:
    """Return what is kept of a track that is a person: `unknown` below `least_confidence`."""
    votes = track.votes
    verdict, confidence = votes.final
    if confidence < least_confidence:
        verdict, confidence = "unknown", 0.0
    return Person(
        track_id=track.id,
        first_seen_s=round(track.first_seen_s, 3),
        last_seen_s=round(track.last_seen_s, 3),
        sightings=track.sightings + track.doubled,
        best_face_px=track.best_face_px,
        verdict=verdict,
        confidence=round(confidence, 4),
        judged_s=round(votes.judged_s, 3),
        crossings=tuple(LineCrossing(c.at_s, c.line, c.direction) for c in track.passage.crossings),
        zones=tuple(track.passage.zones),
        changes=tuple(VerdictChange(c.at_s, c.before, c.after) for c in votes.changes),
    )
