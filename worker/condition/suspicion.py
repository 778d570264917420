"""Decides when a problem is raised, and when it is cleared, from evidence over time."""

from __future__ import annotations

from typing import Final

from worker.saved_state import Amount, Moment, Record

CLEARED_AFTER_S: Final = 3.0
"""Seconds without the condition after which a raised suspicion is cleared."""
LONGEST_STEP_S = 2.0
"""A frame adds at most this much evidence, however long ago the frame before was."""


class Suspicion(Record):
    """Evidence that grows with time while a condition holds, and shrinks while it does not."""

    evidence_s: Amount = 0.0
    """Seconds, 0 to the `raised_after_s` of `weigh`: raised when full, cleared when empty."""
    began_s: Moment | None = None
    """When the evidence began to grow, in seconds since the epoch; None while there is none."""
    raised: bool = False

    def weigh(self, bad: bool | None, time_s: float, step_s: float, raised_after_s: float) -> None:
        """Take in whether the condition held for `step_s` seconds; None: that is not known."""
        if bad is None:
            return
        step_s = min(step_s, LONGEST_STEP_S)
        if bad:
            if self.began_s is None:
                self.began_s = round(time_s, 3)
            self.evidence_s = min(raised_after_s, self.evidence_s + step_s)
        else:
            shrunk = step_s * raised_after_s / CLEARED_AFTER_S
            self.evidence_s = max(0.0, self.evidence_s - shrunk)
        self.raised = self.evidence_s >= raised_after_s or (self.raised and self.evidence_s > 0)
        if self.evidence_s == 0 and not bad:
            self.began_s = None

    def drop(self) -> None:
        """Forget all evidence."""
        self.evidence_s, self.began_s, self.raised = 0.0, None, False
