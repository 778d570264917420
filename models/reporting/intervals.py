"""Shares with their confidence intervals."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.stats import binomtest


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `total`, with its 95 % Wilson (1927) interval.

    >>> str(Share(19, 20))
    '95.0 % (76.4-99.1)'
    """

    hits: int
    total: int

    @property
    def rate(self) -> float:
        """The share, 0 to 1; NaN if the total is 0."""
        return self.hits / self.total if self.total else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """The lower and upper bound, 0 to 1; the whole range if the total is 0."""
        if not self.total:
            return 0.0, 1.0
        bounds = binomtest(self.hits, self.total).proportion_ci(method="wilson")
        return float(bounds.low), float(bounds.high)

    def __str__(self) -> str:
        if not self.total:
            return "-"
        low, high = self.interval
        return f"{self.rate:.1%} ({low * 100:.1f}-{high * 100:.1f})".replace("%", " %")
