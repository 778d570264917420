"""Where a camera sees pictures of faces: posters, screens, dummies.

A face that does not move is a picture: soon if it looks the same all the time (`still_view`),
otherwise after a while. Its place is remembered, so that a poster that is found now and then does
not become a person each time. A person who walks up to that place has moved, and so counts.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, field

from worker.saved_state import MOST_EVENTS, Amount, Moment, Pixels, Record
from worker.tracking.track import Track

STATIC_AFTER_S: Final = 90.0
"""Seconds without moving, over one or several tracks, after which a face counts as a picture. In a
fraction of this time, people in a queue or on a bench stray farther than `STILL_WITHIN`."""
NEAR: Final = 0.25
"""Two still faces are the same if they are at most this far apart, in face heights."""
SIZE_WITHIN: Final = 1.25
"""Two still faces are the same if neither is more than this many times as large as the other."""
FORGOTTEN_AFTER_S: Final = 3600.0
"""Seconds without a face after which a place is forgotten."""
MOST_PLACES: Final = 24


class StillPlace(Record):
    """A place at which a face stayed without moving. Pixels and seconds."""

    x: Pixels
    y: Pixels
    height: Annotated[float, Meta(gt=0, le=1e6)]
    still_s: Amount
    """For how long altogether, in tracks that have ended."""
    last_seen_s: Moment

    def matches(self, track: Track) -> bool:
        """Whether a track began here."""
        x, y = track.first_place
        size = track.motion.height
        far = max(abs(x - self.x), abs(y - self.y)) / self.height
        return far <= NEAR and max(size / self.height, self.height / size) <= SIZE_WITHIN


class StaticFaces(Record):
    """The still places of one camera."""

    places: Annotated[list[StillPlace], Meta(max_length=MOST_EVENTS)] = field(default_factory=list)

    def judge(self, track: Track) -> None:
        """Decide whether a track that was just seen counts as a picture for now."""
        track.static = track.is_still and (track.is_picture or self._still_for_long(track))

    def remember(self, track: Track) -> None:
        """Remember the place of an ended track if it was still."""
        if not track.is_still:
            return
        place = self._at(track)
        if place is None:
            place = StillPlace(*track.first_place, round(track.motion.height, 1), 0.0, 0.0)
            self.places.append(place)
        still_s = STATIC_AFTER_S if track.static else place.still_s + track.seen_for_s
        place.still_s = round(min(still_s, STATIC_AFTER_S), 1)
        place.last_seen_s = max(place.last_seen_s, round(track.last_seen_s, 1))
        self._forget(track.last_seen_s)

    def _still_for_long(self, track: Track) -> bool:
        place = self._at(track)
        return (place.still_s if place else 0.0) + track.seen_for_s >= STATIC_AFTER_S

    def _at(self, track: Track) -> StillPlace | None:
        return next((place for place in self.places if place.matches(track)), None)

    def _forget(self, now_s: float) -> None:
        kept = [p for p in self.places if now_s - p.last_seen_s <= FORGOTTEN_AFTER_S]
        kept.sort(key=lambda place: place.still_s, reverse=True)
        self.places = kept[:MOST_PLACES]
