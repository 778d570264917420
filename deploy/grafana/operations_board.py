"""Whether frames are analysed in time, and what it is that holds them up."""

from __future__ import annotations

from typing import Final

from dashboard.operations import metric_definitions as metrics
from deploy.grafana.panels import (
    Json,
    Panel,
    at_least,
    bars,
    board,
    from_good_to_bad,
    lines,
    mapped,
    stacked,
    stat,
    variable,
)
from deploy.grafana.queries import CHOSEN, STEP, mean, quantile, rate, select, total

LOST: Final = ("overflow", "stale", "unpublished", "undecodable", "no_network")


def operations_board() -> Json:
    """Whether frames are analysed in time, and what it is that holds them up."""
    cameras = variable("camera", "Camera", f"label_values({select(metrics.CAMERA_UP)}, camera)")
    panels = [*_now(), *_in_time(), *_capacity(), *_networks_and_jobs(), *_outcomes()]
    return board("maskwatch-operations", "Maskwatch: operations", panels, cameras)


def _now() -> list[Panel]:
    """The state of things in numbers."""
    return [
        stat(
            "Redis",
            "Whether the dashboard reaches it, whether it takes what is written, and whether it "
            "still has all it had. Without the first two nothing is analysed or counted.",
            [
                (f"min({select(metrics.REDIS_UP)})", "reached"),
                (f"min({select(metrics.REDIS_STORES)})", "stores"),
                (f"1 - max({select(metrics.REDIS_LOST)})", "has all it had"),
            ],
            unit="short",
            mappings=mapped({"0": ("no", "red"), "1": ("yes", "green")}),
        ),
        stat(
            "Processes",
            "Alive now.",
            [
                (f"max({select(metrics.WORKERS)})", "workers"),
                (f"max({select(metrics.INGESTS)})", "ingests"),
            ],
            unit="short",
            thresholds=at_least(1),
        ),
        stat(
            "Workers at work",
            "Share of the time that they do not wait for frames, over five minutes. From 90 % on, "
            "frames are about to be late.",
            [("maskwatch_worker_saturation:ratio5m", "")],
            **{"unit": "percentunit", "decimals": 0, "thresholds": from_good_to_bad(0.7, 0.9)},
        ),
        stat(
            "Late or lost, an hour",
            "Of the frames that were to be analysed. The objective allows 1 % a month.",
            [("maskwatch_frames_missed:ratio1h", "")],
            **{"unit": "percentunit", "decimals": 2, "thresholds": from_good_to_bad(0.01, 0.144)},
        ),
        stat(
            "Late or lost, three days",
            "The same over three days.",
            [("maskwatch_frames_missed:ratio3d", "")],
            **{"unit": "percentunit", "decimals": 2, "thresholds": from_good_to_bad(0.01, 0.03)},
        ),
        stat(
            "Alerts open",
            "Of Maskwatch's own rules, by kind.",
            [(total(select(metrics.ALERTS_OPEN), "kind"), "{{kind}}")],
            unit="short",
            thresholds=from_good_to_bad(1, 10),
        ),
    ]


def _in_time() -> list[Panel]:
    """Whether frames are analysed in time."""
    frame_age = {"camera": CHOSEN, "stage": "analysed"}
    return [
        lines(
            "Age of analysed frames",
            "From capture to the committed outcome.",
            [
                (quantile(share, metrics.FRAME_AGE, **frame_age), f"p{share * 100:g}")
                for share in (0.5, 0.95, 0.99)
            ],
            unit="s",
        ),
        lines(
            "Age of published frames",
            "From capture to Redis: what of the age above is ingest's.",
            [
                (
                    quantile(share, metrics.FRAME_AGE, camera=CHOSEN, stage="published"),
                    f"p{share * 100:g}",
                )
                for share in (0.5, 0.95, 0.99)
            ],
            unit="s",
        ),
        lines(
            "Late or lost",
            "Share of the frames that were to be analysed and were not within a second, over all "
            "cameras. The faster it is used up, the shorter the window that alerts.",
            [
                (f"maskwatch_frames_missed:ratio{window}", window)
                for window in ("5m", "1h", "6h", "3d")
            ],
            unit="percentunit",
        ),
        stacked(
            "Frames lost, by cause",
            "Published or sampled, and never analysed. `stale` and `overflow` want more workers.",
            [
                (
                    rate(select(metrics.FRAMES_DROPPED, camera=CHOSEN, cause=LOST), "cause"),
                    "{{cause}}",
                )
            ],
            unit="cps",
        ),
    ]


def _capacity() -> list[Panel]:
    """How many workers there are, and how many are wanted."""
    return [
        lines(
            "Workers wanted",
            "What the number of workers follows, divided by what one may have (deploy/helm), "
            "beside how many there are.",
            [
                (f"max({select(metrics.WORKERS)})", "alive"),
                ("maskwatch_workers_busy:rate2m / 0.7", "by time at work"),
                ("maskwatch_workers_frame_age:p95_2m / 0.25", "by frame age"),
                ("maskwatch_workers_queue:avg2m / 2", "by frames waiting"),
            ],
            unit="short",
            decimals=1,
        ),
        lines(
            "Frames waiting",
            "In Redis, for a worker.",
            [(select(metrics.FRAMES_WAITING, camera=CHOSEN), "{{camera}}")],
            unit="short",
            decimals=0,
        ),
        lines(
            "Frames a second, by stage",
            "What cameras deliver, what is sampled of it, and what is analysed.",
            [(rate(select(metrics.FRAMES, camera=CHOSEN), "stage"), "{{stage}}")],
            8,
            unit="cps",
        ),
    ]


def _networks_and_jobs() -> list[Panel]:
    """What networks and queues do."""
    return [
        lines(
            "Inference time",
            "One batch of a network.",
            [
                (quantile(share, metrics.INFERENCE, "network"), f"{{{{network}}}} p{share * 100:g}")
                for share in (0.5, 0.95)
            ],
            8,
            unit="s",
        ),
        lines(
            "Batch size, mean",
            "Images that a network is given at once.",
            [(mean(metrics.BATCH_SIZE, "network"), "{{network}}")],
            8,
            unit="short",
        ),
        lines(
            "Jobs waiting",
            "That nobody has begun, by queue.",
            [(select(metrics.JOBS_WAITING), "{{queue}}")],
            8,
            unit="short",
            decimals=0,
        ),
        stacked(
            "Commits refused",
            "By another owner's right, or because a newer one was there. They change nothing.",
            [(rate(select(metrics.COMMITS_REFUSED, camera=CHOSEN), "reason"), "{{reason}}")],
            8,
            unit="cps",
        ),
    ]


def _outcomes() -> list[Panel]:
    """What comes of it all."""
    return [
        bars(
            "Messages of alerts",
            "Attempts to tell somebody, by what came of them.",
            [
                (
                    total(f"increase({select(metrics.ALERT_DELIVERIES)}[{STEP}])", "outcome"),
                    "{{outcome}}",
                )
            ],
            8,
            unit="short",
        ),
        bars(
            "Tracks that were nobody",
            "By why.",
            [
                (
                    total(
                        f"increase({select(metrics.TRACKS_DISCARDED, camera=CHOSEN)}[{STEP}])",
                        "cause",
                    ),
                    "{{cause}}",
                )
            ],
            8,
            unit="short",
        ),
        bars(
            "Line crossings",
            "People who crossed a counting line.",
            [
                (
                    total(
                        f"increase({select(metrics.LINE_CROSSINGS, camera=CHOSEN)}[{STEP}])",
                        "line",
                        "direction",
                    ),
                    "{{line}}, {{direction}}",
                )
            ],
            8,
            unit="short",
        ),
        stat(
            "Cameras with a fault",
            "Of connection or stream: how many now, and how many began in the time shown.",
            [
                (f"count({select(metrics.CAMERA_FAULT, camera=CHOSEN)}) or vector(0)", "now"),
                (
                    f"sum by (kind) (increase({select(metrics.CAMERA_FAULTS, camera=CHOSEN)}"
                    "[$__range]))",
                    "{{kind}}",
                ),
            ],
        ),
        stat(
            "Rules evaluated",
            "How long ago.",
            [(f"time() - {select(metrics.ALERTS_EVALUATED)}", "")],
            unit="s",
            thresholds=from_good_to_bad(60, 120),
        ),
        stat(
            "Cameras fit",
            "At which masks can be measured, of those of which that is known.",
            [(f"avg({select(metrics.CAMERA_FIT)})", "")],
            **{"unit": "percentunit", "decimals": 0},
        ),
    ]
