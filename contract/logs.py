"""One way of logging for every process: one line an event, passwords redacted."""

from __future__ import annotations

import logging
import sys
import time

from contract.redaction import RedactingFormatter


def configure_logging(stage: str, level: str = "INFO") -> None:
    """Send this process's log to standard error, each line naming `stage`, times in UTC."""
    handler = logging.StreamHandler(sys.stderr)
    formatter = RedactingFormatter(
        f"%(asctime)s.%(msecs)03dZ %(levelname)-7s {stage:<9} %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%S",
    )
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # RQ and gunicorn bring their own handlers; ours is the one that redacts.
    logging.getLogger("rq.worker").handlers.clear()
    logging.getLogger("libav").setLevel(logging.ERROR)
