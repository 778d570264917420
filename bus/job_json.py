"""How RQ's jobs are written in Redis: JSON, read as carefully as all that lies there."""

from __future__ import annotations

from typing import Any

from rq.serializers import JSONSerializer

from contract.messages import read_json


class JobJson(JSONSerializer):
    """RQ's own JSON; what nobody of ours can have written raises `MessageError`."""

    @staticmethod
    def loads(s: bytes, *args: Any, **kwargs: Any) -> Any:
        return read_json(s, "a job")
