"""Pictures that somebody asked for, by key: sealed, in Redis' memory alone, for minutes."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from redis import Redis

from bus.picture_seal import PictureSeal
from contract.errors import MessageError

# As with frames: pictures of people go to neither the append-only file nor a replica.
_PUT: Final = """
redis.replicate_commands()
redis.set_repl(redis.REPL_NONE)
redis.call('DEL', KEYS[1])
for i = 2, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('EXPIRE', KEYS[1], ARGV[1])
redis.set_repl(redis.REPL_ALL)
return 1
"""

_log = logging.getLogger(__name__)


class PictureStore:
    """Hashes of named pictures, each with a time to live."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._seal = PictureSeal(redis)
        self._put = redis.register_script(_PUT)

    def put(self, key: str, pictures: Mapping[str, bytes], kept_s: int) -> None:
        """Keep these pictures, in place of those there, for `kept_s` seconds."""
        arguments: list[bytes | str | int] = [kept_s]
        for name, picture in pictures.items():
            arguments += [name, self._seal.seal(picture)]
        self._put(keys=(key,), args=arguments)

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
