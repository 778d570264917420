"""Stores uploaded images in Redis' memory for minutes, for their uploader only."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import TypeAdapter
from redis import Redis

from bus.keys import UploadKeys
from bus.stores.pictures import PictureStore
from contract.errors import MessageError
from contract.messages import Side, checked, read_versioned, to_json
from contract.pictures.uploads import GIVEN, SHOWN, ImageResult

SCHEMA: Final = 1


MOST_IMAGES: Final = 8


KEPT_S: Final = 600
"""Seconds after which an upload and its results expire."""


GIVEN_KEPT_S: Final = 120
"""Seconds after which images that were not analysed expire."""


ANALYSE_JOB: Final = "worker.uploads.image_jobs.analyse_images"


_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Result:
    """The arguments of `finish`, for validation."""

    images: tuple[ImageResult, ...] = ()
    number: Side = 0
    error: str = ""
    detail: str = ""


@dataclass(frozen=True)
class _Record:
    v: int
    owner: str
    names: tuple[str, ...]
    result: _Result = field(default_factory=_Result)


_ADAPTER: Final = TypeAdapter(_Record)


class UploadStore:
    """Uploaded images and annotated pictures, by upload."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._pictures = PictureStore(redis)

    def add(self, owner: str, names: Sequence[str], images: Sequence[bytes]) -> str:
        """Store images until they are analysed; return the upload's id. `owner`: the uploader."""
        upload_id = secrets.token_urlsafe(12)
        record = to_json({"v": SCHEMA, "owner": owner, "names": list(names)})
        self._redis.set(UploadKeys(upload_id).record, record, ex=KEPT_S)
        self._put_pictures(upload_id, GIVEN, images, GIVEN_KEPT_S)
        return upload_id

    def given(self, upload_id: str) -> list[bytes]:
        """Return the uploaded images in order; an empty list after their analysis."""
        numbered = {
            int(name.removeprefix(GIVEN)): data
            for name, data in self._pictures.all(UploadKeys(upload_id).pictures).items()
            if name.startswith(GIVEN)
        }
        return [numbered[number] for number in sorted(numbered)]

    def finish(self, upload_id: str, result: Mapping[str, Any], annotated: Sequence[bytes]) -> None:
        """Store the results, and annotated JPEGs in place of the uploaded images."""
        raw = self._redis.get(UploadKeys(upload_id).record)
        before = _read(raw)
        if before is None:
            self.remove(upload_id)
            return
        record = to_json({**before, "result": dict(result)})
        self._put_pictures(upload_id, SHOWN, annotated, KEPT_S)
        # XX: an upload that was just removed stays removed.
        if not self._redis.set(UploadKeys(upload_id).record, record, ex=KEPT_S, xx=True):
            self.remove(upload_id)

    def find(self, upload_id: str, owner: str) -> dict[str, Any] | None:
        """Return the record of an upload of `owner`; None for other owners and expired uploads."""
        raw = self._redis.get(UploadKeys(upload_id).record)
        record = _read(raw)
        return record if record and record["owner"] == owner else None

    def annotated(self, upload_id: str, number: int) -> bytes | None:
        """One annotated picture, a JPEG."""
        return self._pictures.get(UploadKeys(upload_id).pictures, f"{SHOWN}{number}")

    def seconds_left(self, upload_id: str) -> int:
        """Return the seconds until the upload expires."""
        return max(0, int(self._redis.ttl(UploadKeys(upload_id).record)))

    def remove(self, upload_id: str) -> None:
        """Delete an upload and its results."""
        names = UploadKeys(upload_id)
        self._redis.delete(names.record, names.pictures)

    def _put_pictures(
        self, upload_id: str, kind: str, pictures: Sequence[bytes], kept_s: int
    ) -> None:
        named = {f"{kind}{number}": data for number, data in enumerate(pictures)}
        self._pictures.put(UploadKeys(upload_id).pictures, named, kept_s)


def _read(raw: Any) -> dict[str, Any] | None:
    """Return the record of an upload; None if there is no readable record."""
    try:
        record = read_versioned(raw, SCHEMA, "an upload's record") if raw else None
        if record is not None:
            checked(_ADAPTER, record, "an upload's record")
    except MessageError as error:
        _log.error("%s; it is left out", error)
        return None
    return record
