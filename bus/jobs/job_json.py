"""The form of RQ's jobs in Redis: JSON, checked like every record there."""

from __future__ import annotations

from typing import Any

from rq.serializers import JSONSerializer

from contract.messages import read_json


class JobJson(JSONSerializer):
    """RQ's own JSON; raises `MessageError` for a record that Maskwatch cannot have written."""

    @staticmethod
    def loads(s: bytes, *args: Any, **kwargs: Any) -> Any:
        return read_json(s, "a job")
