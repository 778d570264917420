"""The rate of people with a mask, always with its n."""

from __future__ import annotations

from typing import Final

from contract.people.verdicts import JUDGED_VERDICTS, VERDICTS
from dashboard.operations import metric_definitions as metrics
from deploy.grafana.panels import (
    UP_OR_DOWN,
    Json,
    Panel,
    at_least,
    bars,
    board,
    by_name,
    lines,
    stacked,
    stat,
    states,
    table,
    variable,
    verdict_colors,
)
from deploy.grafana.queries import CHOSEN, STEP, compliance, people, select, total

HIDDEN: Final = {"legend": True, "tooltip": False, "viz": False}


def compliance_board() -> Json:
    """The rate of people with a mask, always with its n."""
    cameras = variable("camera", "Camera", f"label_values({select(metrics.CAMERA_UP)}, camera)")
    up = select(metrics.CAMERA_UP, camera=CHOSEN)
    invalid = select(metrics.CAMERA_QUALITY, camera=CHOSEN)
    panels = [
        stat(
            "Compliance",
            "mask / (mask + incorrect + no_mask), over people, in the time shown. Read it together "
            "with n. Empty without verdicts.",
            [(compliance(), "")],
            **{
                "unit": "percentunit",
                "decimals": 1,
                "min": 0,
                "max": 1,
                "noValue": "no verdicts",
            },
        ),
        stat(
            "n: people with a verdict",
            "People behind the compliance rate: mask, incorrect and no_mask. People with the "
            "verdict unknown are excluded.",
            [(people(verdict=JUDGED_VERDICTS), "")],
            unit="short",
            decimals=0,
        ),
        stat(
            "Unknown share",
            "Share of counted people whose verdict is unknown.",
            [(f"{people(verdict='unknown')} / ({people()} > 0)", "")],
            **{
                "unit": "percentunit",
                "decimals": 1,
                "min": 0,
                "max": 1,
                "noValue": "no people",
            },
        ),
        stat(
            "Cameras up",
            "Cameras that deliver pictures, and cameras that are switched on.",
            [(total(up), "up"), (f"count({up})", "switched on")],
            unit="short",
        ),
        stat(
            "Reliable cameras",
            "Share of switched-on cameras that deliver good pictures, over all cameras. "
            "The selection has no effect.",
            [("maskwatch_cameras_valid:ratio", "")],
            **{"unit": "percentunit", "decimals": 0, "thresholds": at_least(0.8)},
        ),
        stat(
            "Faces in view",
            "Faces in view now, with any verdict.",
            [(total(select(metrics.FACES, camera=CHOSEN)), "")],
            unit="short",
        ),
        _rate_with_interval(),
        bars(
            "People by verdict",
            "People counted; each counts once, when the track ends.",
            [
                (
                    total(f"increase({select(metrics.PEOPLE, camera=CHOSEN)}[{STEP}])", "verdict"),
                    "{{verdict}}",
                )
            ],
            overrides=verdict_colors(),
            unit="short",
            decimals=1,
        ),
        table(
            "By camera, in the time shown",
            "The rate and its counts. `unknown` is excluded from the rate and its n.",
            {
                "compliance": compliance("camera"),
                "n": people("camera", verdict=JUDGED_VERDICTS),
                **{verdict: people("camera", verdict=verdict) for verdict in VERDICTS},
            },
            "camera",
        ),
        stacked(
            "Faces in view, by verdict",
            "Faces, not people: a person who stays counts at every point.",
            [(total(select(metrics.FACES, camera=CHOSEN), "verdict"), "{{verdict}}")],
            overrides=verdict_colors(),
            unit="short",
            decimals=0,
        ),
        states(
            "Cameras", "Whether each camera delivers a picture.", [(up, "{{camera}}")], UP_OR_DOWN
        ),
        states(
            "Unreliable pictures",
            "Problems of a camera's picture. While one lasts, its minutes are marked invalid.",
            [(f"{invalid} == 1", "{{camera}}: {{problem}}")],
            {"1": ("invalid", "orange")},
        ),
    ]
    return board("maskwatch-compliance", "Maskwatch: compliance", panels, cameras)


def _rate_with_interval() -> Panel:
    n = by_name(
        "n",
        unit="short",
        custom_axisPlacement="right",
        custom_lineStyle={"fill": "dash", "dash": [4, 4]},
        min=0,
        max=None,
        decimals=0,
    )
    low = by_name("95 % low", custom_lineWidth=0, custom_hideFrom=HIDDEN)
    high = by_name(
        "95 % high",
        custom_lineWidth=0,
        custom_fillBelowTo="95 % low",
        custom_fillOpacity=20,
        custom_hideFrom=HIDDEN,
    )
    return lines(
        "Compliance over the last hour, all cameras",
        "Each point covers the hour before it, over all cameras. The band is the 95 % Wilson "
        "interval; n (right) is the number of people with a verdict in that hour.",
        [
            ("maskwatch_compliance:ratio1h", "compliance"),
            ("maskwatch_compliance_wilson_low:ratio1h", "95 % low"),
            ("maskwatch_compliance_wilson_high:ratio1h", "95 % high"),
            ("maskwatch_people_judged:increase1h", "n"),
        ],
        overrides=[low, high, n],
        unit="percentunit",
        max=1,
    )
