"""The four verdicts, in the order in which they are always listed."""

from __future__ import annotations

from typing import Final, Literal

Verdict = Literal["mask", "incorrect", "no_mask", "unknown"]

VERDICTS: Final[tuple[Verdict, ...]] = ("mask", "incorrect", "no_mask", "unknown")

JUDGED_VERDICTS: Final[tuple[Verdict, ...]] = ("mask", "incorrect", "no_mask")
"""The verdicts that enter a compliance rate; `unknown` is counted separately."""
