"""Writes the log as JSON, one record per line, for programs that collect logs."""

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

    Where they apply: `camera_id`, `camera` (its name), `frame`, `rule`, `left_out` (number of
    omitted repeats), `exception`. URLs in values are redacted before encoding, because JSON's
    escapes would hide where an address ends. Control characters are escaped, so that readers never
    get one.
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
        """Name the event: the call's own name, or else the place of the call."""
        log_data["event"] = f"{record.module}.{record.funcName}"
        super().add_fields(log_data, record, message_dict)

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Return the record with the common fields first and every value redacted."""
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
