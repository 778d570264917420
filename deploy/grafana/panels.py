"""Panels as Grafana's dashboard model (schema 39) has them."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

Json = dict[str, Any]
Targets = Sequence[tuple[str, str]]
"""Queries with their legends."""

SOURCE: Final[Json] = {"type": "prometheus", "uid": "maskwatch-prometheus"}
COLORS: Final = {
    "mask": "green",
    "incorrect": "orange",
    "no_mask": "red",
    "unknown": "#8e8e8e",
}
UP_OR_DOWN: Final = {"0": ("down", "red"), "1": ("up", "green")}
_LEGEND: Final[Json] = {"displayMode": "list", "placement": "bottom", "showLegend": True}


@dataclass(frozen=True)
class Panel:
    """One panel, without its place."""

    kind: str
    title: str
    description: str
    targets: Targets
    width: int
    """Width in columns, of 24."""
    height: int
    defaults: Json
    options: Json
    overrides: Sequence[Json] = ()
    target_options: Json = field(default_factory=dict)
    more: Json = field(default_factory=dict)

    def at(self, number: int, x: int, y: int) -> Json:
        """The panel at a place of a dashboard."""
        return {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": self.description,
            "datasource": SOURCE,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
            "targets": [
                {
                    "datasource": SOURCE,
                    "expr": query,
                    "legendFormat": legend,
                    "refId": letter,
                    **self.target_options,
                }
                for letter, (query, legend) in zip(
                    string.ascii_uppercase, self.targets, strict=False
                )
            ],
            "fieldConfig": {"defaults": self.defaults, "overrides": list(self.overrides)},
            "options": self.options,
            **self.more,
        }


def stat(title: str, description: str, targets: Targets, **defaults: Any) -> Panel:
    """A number; with thresholds or words for values, in colour."""
    reduced = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    colored = "thresholds" in defaults or "mappings" in defaults
    options = {
        "reduceOptions": reduced,
        "colorMode": "value" if colored else "none",
        "graphMode": "none",
        "textMode": "value_and_name" if len(targets) > 1 else "auto",
    }
    instant = {"instant": True}
    return Panel("stat", title, description, targets, 4, 4, defaults, options, (), instant)


def lines(title: str, description: str, targets: Targets, width: int = 12, **given: Any) -> Panel:
    """Lines over time."""
    return _series(title, description, targets, width, {"fillOpacity": 0}, **given)


def stacked(title: str, description: str, targets: Targets, width: int = 12, **given: Any) -> Panel:
    """Areas over time, one on the other."""
    stacking = {"fillOpacity": 40, "stacking": {"mode": "normal", "group": "A"}}
    return _series(title, description, targets, width, stacking, **given)


def bars(title: str, description: str, targets: Targets, width: int = 12, **given: Any) -> Panel:
    """Bars over time, one on the other."""
    looks = {"drawStyle": "bars", "lineWidth": 0, "fillOpacity": 80}
    stacking = {"stacking": {"mode": "normal", "group": "A"}}
    return _series(title, description, targets, width, {**looks, **stacking}, **given)


def _series(
    title: str,
    description: str,
    targets: Targets,
    width: int,
    looks: Json,
    overrides: Sequence[Json] = (),
    **defaults: Any,
) -> Panel:
    custom = {"drawStyle": "line", "lineWidth": 1, "showPoints": "never", "spanNulls": False}
    shown = {"min": 0, **defaults, "custom": {**custom, **looks}}
    options = {"legend": _LEGEND, "tooltip": {"mode": "multi", "sort": "desc"}}
    return Panel("timeseries", title, description, targets, width, 8, shown, options, overrides)


def states(
    title: str, description: str, targets: Targets, words: Mapping[str, tuple[str, str]]
) -> Panel:
    """A row a series, coloured by value. `words`: values to their text and colour."""
    looks = {"custom": {"lineWidth": 0, "fillOpacity": 70}}
    defaults = {"unit": "short", "mappings": mapped(words), **looks}
    options = {"mergeValues": True, "showValue": "never", "rowHeight": 0.8, "legend": _LEGEND}
    return Panel("state-timeline", title, description, targets, 12, 6, defaults, options)


def table(title: str, description: str, columns: Mapping[str, str], first: str) -> Panel:
    """A row for each value of label `first`. `columns`: names to queries."""
    fields = [f"Value #{letter}" for letter in string.ascii_uppercase[: len(columns)]]
    order = {first: 0} | {name: place for place, name in enumerate(fields, start=1)}
    organize = {
        "excludeByName": {"Time": True},
        "indexByName": order,
        "renameByName": dict(zip(fields, columns, strict=True)),
    }
    transformations = [
        {"id": "merge", "options": {}},
        {"id": "organize", "options": organize},
    ]
    targets = [(query, "") for query in columns.values()]
    options = {"showHeader": True, "cellHeight": "sm"}
    percent = by_name("compliance", unit="percentunit", decimals=1)
    target_options = {"format": "table", "instant": True}
    more = {"transformations": transformations}
    defaults = {"unit": "short", "decimals": 0}
    return Panel(
        "table",
        title,
        description,
        targets,
        12,
        8,
        defaults,
        options,
        [percent],
        target_options,
        more,
    )


def mapped(words: Mapping[str, tuple[str, str]]) -> list[Json]:
    """Words and colours in place of values."""
    options = {value: {"text": text, "color": color} for value, (text, color) in words.items()}
    return [{"type": "value", "options": options}]


def by_name(name: str, **properties: Any) -> Json:
    """Properties of one series that differ. `custom_NAME` stands for Grafana's `custom.NAME`."""
    listed = [{"id": key.replace("_", ".", 1), "value": v} for key, v in properties.items()]
    return {"matcher": {"id": "byName", "options": name}, "properties": listed}


def verdict_colors() -> list[Json]:
    """Each verdict in its colour."""
    return [
        by_name(verdict, color={"mode": "fixed", "fixedColor": color})
        for verdict, color in COLORS.items()
    ]


def from_good_to_bad(warning: float, bad: float) -> Json:
    """Green up to `warning`, orange up to `bad`, red from there on."""
    steps = [("green", None), ("orange", warning), ("red", bad)]
    return {"mode": "absolute", "steps": [{"color": c, "value": v} for c, v in steps]}


def at_least(least: float) -> Json:
    """Red below, green from there on."""
    steps = [("red", None), ("green", least)]
    return {"mode": "absolute", "steps": [{"color": c, "value": v} for c, v in steps]}


def board(uid: str, title: str, panels: Sequence[Panel], variable: Json | None = None) -> Json:
    """A dashboard; panels stand in rows from left to right, as they fit."""
    return {
        "uid": uid,
        "title": title,
        "tags": ["maskwatch"],
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "timezone": "browser",
        "refresh": "15s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [variable] if variable else []},
        "annotations": {"list": []},
        "links": [
            {"type": "dashboards", "tags": ["maskwatch"], "title": "Maskwatch", "asDropdown": False}
        ],
        "panels": list(_placed(panels)),
    }


def _placed(panels: Sequence[Panel]) -> list[Json]:
    placed, x, y, row_height = [], 0, 0, 0
    for number, panel in enumerate(panels, start=1):
        if x + panel.width > 24:
            x, y, row_height = 0, y + row_height, 0
        placed.append(panel.at(number, x, y))
        x, row_height = x + panel.width, max(row_height, panel.height)
    return placed


def variable(name: str, label: str, query: str) -> Json:
    """A choice of several values at the top of a dashboard."""
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": query, "refId": name},
        "definition": query,
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
    }
