"""Holds back a film that plays as fast as the workers follow, until they have caught up."""

from __future__ import annotations

import threading
from typing import Final

from bus.stores.outcomes import OutcomeStore

IN_FLIGHT: Final = 2
"""Most published frames without a result: one under analysis, and the next one."""
LOOK_S: Final = 0.025
"""Seconds between two checks of the workers' progress."""


class Follower:
    """Tracks how far the workers are behind one camera's published frames."""

    def __init__(self, outcomes: OutcomeStore, camera_id: str) -> None:
        self._outcomes = outcomes
        self._camera_id = camera_id
        self._published = 0

    def published(self, sequence: int) -> None:
        """Note the newest published frame."""
        self._published = sequence

    def wait_until_caught_up(self, stop: threading.Event) -> bool:
        """Return whether another frame may be published; if not, pause a moment first."""
        committed = self._outcomes.committed_sequence(self._camera_id)
        if self._published - committed < IN_FLIGHT:
            return True
        stop.wait(LOOK_S)
        return False
