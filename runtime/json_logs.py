"""The log as JSON, a line a record, for programs that collect logs."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any, Final

from pythonjsonlogger import json

from contract.plain_text import escaped
from contract.redaction import cut_and_redact

FIRST: Final = ("time", "level", "role", "process", "event", "camera_id", "camera", "frame", "rule")


class JsonFormatter(json.JsonFormatter):
    """`time` (UTC), `level`, `role`, `process` (its id), `event`, `message`, `logger`.

    Where there is one: `camera_id`, `camera` (its name), `frame`, `rule`, `left_out` (how often
    the same was not said), `exception`. URLs are redacted in each value before it is written as
    JSON, whose escapes would hide where one ends; control characters are written out, so that who
    reads the value gets none.
    """

    def __init__(self, role: str) -> None:
        super().__init__(
            ["levelname", "process", "name", "message"],
            rename_fields={"levelname": "level", "name": "logger", "exc_info": "exception"},
            static_fields={"role": role},
            timestamp="time",
        )

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        """Name the event: that which the call gave, or the place of the call."""
        log_data["event"] = f"{record.module}.{record.funcName}"
        super().add_fields(log_data, record, message_dict)

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Return the record with what all have in front, every value redacted."""
        first = {name: log_data[name] for name in FIRST if name in log_data}
        return {name: _redacted(value) for name, value in (first | log_data).items()}


def _redacted(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {_redacted(str(name)): _redacted(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set):
        return [_redacted(one) for one in value]
    return escaped(cut_and_redact(str(value)), keep="\n\t")
