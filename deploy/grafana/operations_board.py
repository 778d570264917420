"""Whether frames are analysed in time, and the reasons if they are not."""

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
    """Whether frames are analysed in time, and the reasons if they are not."""
    cameras = variable("camera", "Camera", f"label_values({select(metrics.CAMERA_UP)}, camera)")
    panels = [*_now(), *_in_time(), *_capacity(), *_networks_and_jobs(), *_outcomes()]
    return board("maskwatch-operations", "Maskwatch: operations", panels, cameras)


def _now() -> list[Panel]:
    """The current state in numbers."""
    return [
        stat(
            "Redis",
            "Whether the dashboard reaches Redis, whether Redis accepts writes, and whether it has "
            "lost data. Without the first two, no frame is analysed or counted.",
            [
                (f"min({select(metrics.REDIS_UP)})", "reached"),
                (f"min({select(metrics.REDIS_STORES)})", "stores"),
                (f"1 - max({select(metrics.REDIS_LOST)})", "no data lost"),
            ],
            unit="short",
            mappings=mapped({"0": ("no", "red"), "1": ("yes", "green")}),
        ),
        stat(
            "Processes",
            "Processes that are alive now.",
            [
                (f"max({select(metrics.WORKERS)})", "workers"),
                (f"max({select(metrics.INGESTS)})", "ingests"),
            ],
            unit="short",
            thresholds=at_least(1),
        ),
        stat(
            "Workers busy",
            "Share of time in which workers do not wait for frames, over five minutes. From 90 %, "
            "frames will soon be late.",
            [("maskwatch_worker_saturation:ratio5m", "")],
            **{"unit": "percentunit", "decimals": 0, "thresholds": from_good_to_bad(0.7, 0.9)},
        ),
        stat(
            "Late or lost, an hour",
            "Share of sampled frames. The objective allows 1 % per month.",
            [("maskwatch_frames_missed:ratio1h", "")],
            **{"unit": "percentunit", "decimals": 2, "thresholds": from_good_to_bad(0.01, 0.144)},
        ),
        stat(
            "Late or lost, three days",
            "Share of sampled frames over three days.",
            [("maskwatch_frames_missed:ratio3d", "")],
            **{"unit": "percentunit", "decimals": 2, "thresholds": from_good_to_bad(0.01, 0.03)},
        ),
        stat(
            "Alerts open",
            "Open alerts of Maskwatch's own rules, by kind.",
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
            "From capture to Redis: ingest's part of the age above.",
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
            "Share of sampled frames that were not analysed within a second, over all cameras. "
            "The faster the budget is used up, the shorter the window that alerts.",
            [
                (f"maskwatch_frames_missed:ratio{window}", window)
                for window in ("5m", "1h", "6h", "3d")
            ],
            unit="percentunit",
        ),
        stacked(
            "Frames lost, by cause",
            "Frames that were sampled but never analysed. Add workers against `stale` and "
            "`overflow`.",
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
    """The number of workers, and the number needed."""
    return [
        lines(
            "Workers needed",
            "The autoscaler's measures divided by their targets for one worker (deploy/helm), and "
            "the current number of workers.",
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
            "Frames in Redis that wait for a worker.",
            [(select(metrics.FRAMES_WAITING, camera=CHOSEN), "{{camera}}")],
            unit="short",
            decimals=0,
        ),
        lines(
            "Frames per second, by stage",
            "Frames that cameras deliver, that are sampled, and that are analysed.",
            [(rate(select(metrics.FRAMES, camera=CHOSEN), "stage"), "{{stage}}")],
            8,
            unit="cps",
        ),
    ]


def _networks_and_jobs() -> list[Panel]:
    """The networks and queues."""
    return [
        lines(
            "Inference time",
            "Duration of one batch of a network.",
            [
                (quantile(share, metrics.INFERENCE, "network"), f"{{{{network}}}} p{share * 100:g}")
                for share in (0.5, 0.95)
            ],
            8,
            unit="s",
        ),
        lines(
            "Batch size, mean",
            "Images that a network processes at once.",
            [(mean(metrics.BATCH_SIZE, "network"), "{{network}}")],
            8,
            unit="short",
        ),
        lines(
            "Jobs waiting",
            "Jobs that no process has started, by queue.",
            [(select(metrics.JOBS_WAITING), "{{queue}}")],
            8,
            unit="short",
            decimals=0,
        ),
        stacked(
            "Commits refused",
            "Commits refused because another worker owns the camera, or a newer commit exists. "
            "Refused commits change nothing.",
            [(rate(select(metrics.COMMITS_REFUSED, camera=CHOSEN), "reason"), "{{reason}}")],
            8,
            unit="cps",
        ),
    ]


def _outcomes() -> list[Panel]:
    """The results."""
    return [
        bars(
            "Messages of alerts",
            "Delivery attempts, by outcome.",
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
            "Discarded tracks",
            "Discarded tracks, by cause.",
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
            "Faults of connection or stream: how many now, and how many began in the time shown.",
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
            "Time since the last evaluation.",
            [(f"time() - {select(metrics.ALERTS_EVALUATED)}", "")],
            unit="s",
            thresholds=from_good_to_bad(60, 120),
        ),
        stat(
            "Cameras fit",
            "Share of cameras at which masks can be measured, of the cameras with a known fitness.",
            [(f"avg({select(metrics.CAMERA_FIT)})", "")],
            **{"unit": "percentunit", "decimals": 0},
        ),
    ]
