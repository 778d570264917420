"""Logging for every process: one event per line, redacted passwords, limited repeats."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any, Literal

from contract.cameras.camera import Camera
from contract.plain_text import escaped
from contract.redaction import RedactingFormatter
from runtime.log_limit import LimitedHandler

LogFormat = Literal["text", "json"]


def configure_logging(stage: str, level: str = "INFO", form: LogFormat = "text") -> None:
    """Send this process's log to standard error, each line naming `stage`, times in UTC."""
    handler = LimitedHandler(sys.stderr)
    handler.setFormatter(_formatter(stage, form))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # RQ and gunicorn bring their own handlers; ours is the one that redacts.
    logging.getLogger("rq.worker").handlers.clear()
    logging.getLogger("libav").setLevel(logging.ERROR)


def about(
    camera: Camera | None = None,
    *,
    camera_id: str = "",
    frame: int | None = None,
    rule: str = "",
    event: str = "",
) -> dict[str, Any]:
    """Return the `extra` of a log call: the subject of the line, for programs that read the log.

    `camera_id`: of a camera that cannot be read. `rule`: its name. `event`: a name that stays when
    the message changes; by default the place in the code. Lines about different cameras or rules
    are different events.
    """
    named = {
        "camera": camera.name if camera else "",
        "camera_id": camera.id if camera else camera_id,
        "frame": frame,
        "rule": rule,
        "event": event,
    }
    return {name: value for name, value in named.items() if value not in ("", None)}


class TextFormatter(RedactingFormatter):
    """Writes a record as text that cannot forge another record or control a terminal.

    Only a record begins at the start of a line; its further lines are indented.
    """

    def format(self, record: logging.LogRecord) -> str:
        return escaped(super().format(record), keep="\n\t").replace("\n", "\n  ")


def _formatter(stage: str, form: LogFormat) -> logging.Formatter:
    if form == "json":
        from runtime.json_logs import JsonFormatter

        return JsonFormatter(stage)
    formatter = TextFormatter(
        f"%(asctime)s.%(msecs)03dZ %(levelname)-7s {stage:<9} %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%S",
    )
    formatter.converter = time.gmtime
    return formatter
