"""PromQL made from the definitions of the metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from contract.people.verdicts import JUDGED_VERDICTS
from dashboard.operations.metric_definitions import PEOPLE, Definition

CHOSEN: Final = "$camera"
"""The cameras chosen at the top of a dashboard."""
IN_VIEW: Final = "$__range"
"""The time that is shown."""
STEP: Final = "$__rate_interval"
"""The least time that a rate can look back on."""


def select(metric: Definition, ending: str = "", /, **matching: str | Sequence[str]) -> str:
    """Select samples of a metric; of several values, any.

    ending: which samples of a histogram: `bucket`, `sum` or `count`.

    Raises:
        ValueError: the metric has no such samples, no such label, or its label no such value.
    """
    name = f"{metric.name}_total" if metric.kind == "counter" else metric.name
    name = f"{metric.name}_{ending}" if ending else name
    if name not in metric.samples:
        raise ValueError(f"{metric.name} has no samples {name}, but {', '.join(metric.samples)}")
    matchers = [_matcher(metric, label, value) for label, value in matching.items()]
    return f"{name}{{{', '.join(matchers)}}}" if matchers else name


def _matcher(metric: Definition, label: str, value: str | Sequence[str]) -> str:
    if label not in metric.labels:
        raise ValueError(f"{metric.name} has no label {label}, but {', '.join(metric.labels)}")
    wanted = [value] if isinstance(value, str) else list(value)
    known = metric.labels[label]
    unknown = [] if known is None else [one for one in wanted if one not in known]
    if unknown:
        raise ValueError(f"{metric.name} has no {label} {', '.join(unknown)}, but {known}")
    # A dashboard's variable may stand for several.
    operator = "=~" if len(wanted) > 1 or value == CHOSEN else "="
    return f'{label}{operator}"{"|".join(wanted)}"'


def total(expression: str, *by: str) -> str:
    """The sum of a vector, by label."""
    return f"sum by ({', '.join(by)}) ({expression})" if by else f"sum({expression})"


def people(*by: str, verdict: str | Sequence[str] = ()) -> str:
    """The people counted at the chosen cameras in the time that is shown."""
    of_verdict = {"verdict": verdict} if verdict else {}
    return total(f"increase({select(PEOPLE, camera=CHOSEN, **of_verdict)}[{IN_VIEW}])", *by)


def compliance(*by: str) -> str:
    """The rate over people, nothing where nobody was judged."""
    return f"{people(*by, verdict='mask')} / ({people(*by, verdict=JUDGED_VERDICTS)} > 0)"


def rate(samples: str, *by: str) -> str:
    """Return a counter's increase per second, summed by label."""
    return total(f"rate({samples}[{STEP}])", *by)


def quantile(share: float, metric: Definition, *by: str, **matching: str | Sequence[str]) -> str:
    """A quantile of a histogram, by label."""
    return f"histogram_quantile({share:g}, {rate(select(metric, 'bucket', **matching), *by, 'le')})"


def mean(metric: Definition, *by: str) -> str:
    """The mean of a histogram, by label."""
    return f"{rate(select(metric, 'sum'), *by)} / ({rate(select(metric, 'count'), *by)} > 0)"
