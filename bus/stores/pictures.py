"""Requested pictures by key: encrypted, in Redis' memory only, for minutes."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from redis import Redis

from bus.picture_seal import PictureSeal
from bus.scripts.script import Header, Script
from contract.errors import MessageError


@dataclass(frozen=True)
class _Put(Header):
    script: ClassVar = "put_pictures"

    names: list[str]
    """Names of the pictures after the header, in their order."""
    kept_s: int


_log = logging.getLogger(__name__)


class PictureStore:
    """Hashes of named pictures, each with a time to live."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._seal = PictureSeal(redis)
        self._put = Script(redis, _Put)

    def put(self, key: str, pictures: Mapping[str, bytes], kept_s: int) -> None:
        """Store these pictures for `kept_s` seconds, replacing earlier ones."""
        sealed = [self._seal.seal(picture) for picture in pictures.values()]
        self._put((key,), _Put(list(pictures), kept_s), *sealed)

    def get(self, key: str, name: str) -> bytes | None:
        """Return one picture; None if it is gone or can no longer be decrypted."""
        sealed: Any = self._redis.hget(key, name)
        return self._opened(sealed) if sealed else None

    def all(self, key: str) -> dict[str, bytes]:
        """Return all pictures of a key by name that can still be decrypted."""
        sealed: Any = self._redis.hgetall(key)
        opened = {name.decode(errors="replace"): self._opened(one) for name, one in sealed.items()}
        return {name: picture for name, picture in opened.items() if picture is not None}

    def _opened(self, sealed: bytes) -> bytes | None:
        try:
            return self._seal.open(sealed)
        except MessageError as error:
            _log.warning("%s; it is left out", error)
            return None
