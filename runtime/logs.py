"""One way of logging for every process: an event a line, passwords redacted, floods held back."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any, Literal

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
    *,
    camera: str = "",
    camera_id: str = "",
    frame: int | None = None,
    rule: str = "",
    event: str = "",
) -> dict[str, Any]:
    """The `extra` of a log call: what the line is about, for programs that read the log.

    `camera`, `rule`: their names. `event`: a name that stays when the words change; without one
    it is the place in the code. Lines of one place about another camera or rule are not the same
    event said again.
    """
    named = {
        "camera": camera,
        "camera_id": camera_id,
        "frame": frame,
        "rule": rule,
        "event": event,
    }
    return {name: value for name, value in named.items() if value not in ("", None)}


class TextFormatter(RedactingFormatter):
    """A record as text that nothing in it can pass off as another, nor drive a terminal with.

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
