"""Pictures that somebody asked for, by key: sealed, in Redis' memory alone, for minutes."""

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
    """Of the pictures that follow the header, in their order."""
    kept_s: int


_log = logging.getLogger(__name__)


class PictureStore:
    """Hashes of named pictures, each with a time to live."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._seal = PictureSeal(redis)
        self._put = Script(redis, _Put)

    def put(self, key: str, pictures: Mapping[str, bytes], kept_s: int) -> None:
        """Keep these pictures, in place of those there, for `kept_s` seconds."""
        sealed = [self._seal.seal(picture) for picture in pictures.values()]
        self._put((key,), _Put(list(pictures), kept_s), *sealed)

    def get(self, key: str, name: str) -> bytes | None:
        """One picture; None when it is gone, or cannot be opened any more."""
        sealed: Any = self._redis.hget(key, name)
        return self._opened(sealed) if sealed else None

    def all(self, key: str) -> dict[str, bytes]:
        """All pictures of a key by name, but those that cannot be opened any more."""
        sealed: Any = self._redis.hgetall(key)
        opened = {name.decode(errors="replace"): self._opened(one) for name, one in sealed.items()}
        return {name: picture for name, picture in opened.items() if picture is not None}

    def _opened(self, sealed: bytes) -> bytes | None:
        try:
            return self._seal.open(sealed)
        except MessageError as error:
            _log.warning("%s; it is left out", error)
            return None
