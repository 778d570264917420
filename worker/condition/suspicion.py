"""How long something must hold before it is said, and how long not before it is taken back."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_STEP_S = 2.0
"""Frames farther apart say no more than frames this far apart: one look proves little."""


@dataclass
class Suspicion:
    """Evidence that grows with time while a condition holds, and shrinks while it does not."""

    raised_after_s: float
    cleared_after_s: float
    evidence_s: float = 0.0
    """Seconds, 0 to `raised_after_s`: raised when full, cleared when empty."""
    began_s: float | None = None
    """When the evidence began to grow, in seconds since the epoch; None while there is none."""
    raised: bool = False

    def weigh(self, bad: bool | None, time_s: float, step_s: float) -> None:
        """Take in that the condition held or not (None: cannot be said) for `step_s` seconds."""
        if bad is None:
            return
        step_s = min(step_s, LONGEST_STEP_S)
        if bad:
            if self.began_s is None:
                self.began_s = round(time_s, 3)
            self.evidence_s = min(self.raised_after_s, self.evidence_s + step_s)
        else:
            shrunk = step_s * self.raised_after_s / self.cleared_after_s
            self.evidence_s = max(0.0, self.evidence_s - shrunk)
        self.raised = self.evidence_s >= self.raised_after_s or (
            self.raised and self.evidence_s > 0
        )
        if self.evidence_s == 0 and not bad:
            self.began_s = None

    def drop(self) -> None:
        """Forget it all."""
        self.evidence_s, self.began_s, self.raised = 0.0, None, False

    def encode(self) -> list[float | bool | None]:
        return [round(self.evidence_s, 3), self.began_s, self.raised]

    def restore(self, record: list[float | bool | None]) -> None:
        """Go on from what `encode` wrote."""
        evidence_s, began_s, raised = record
        self.evidence_s = float(evidence_s or 0.0)
        self.began_s = None if began_s is None else float(began_s)
        self.raised = bool(raised)
