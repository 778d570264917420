"""Encrypts pictures, so that no file of Redis contains a readable one.

Redis writes all its data when it takes a snapshot, rewrites its append-only file or gets a
replica. So each process seals its pictures (AES-256-GCM, NIST SP 800-38D) with its own key, which
is in no file. Other processes read the key from Redis' cache of scripts, which exists in memory
only: the key is a script that returns it. A picture names that script by its SHA-1, which reveals
nothing about 256 random bits. A restarted server has forgotten the keys, and thereby the pictures.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from redis import Redis
from redis.exceptions import NoScriptError, ResponseError

from contract.errors import MessageError

PICTURE_FIELD: Final = b"jpeg"
"""The field of a stream's entry that has a picture."""
KEY_USED_S: Final = 86400.0
"""Seconds after which a process uses a new key: random nonces are safe for 2**32 pictures per
key."""
TELL_EVERY_S: Final = 2.0
"""Seconds after which a restarted server or a new primary has our key again, at most."""
MOST_KEYS: Final = 256
"""Most keys of other processes that a reader caches."""

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_FORMAT: Final = b"\x01"
_DIGEST_BYTES: Final = 20
_HEAD_BYTES: Final = len(_FORMAT) + _DIGEST_BYTES + _NONCE_BYTES
_HEX: Final = re.compile(rb"[0-9a-f]{64}")
# Redis 6.2 writes scripts into its append-only file unless they ask for this first.
_SCRIPT: Final = "redis.replicate_commands()\nreturn '{key}'"


@dataclass(frozen=True)
class _Key:
    """The key with which this process seals pictures."""

    script: str
    digest: bytes
    cipher: AESGCM
    made_at_s: float
    """Creation time on the monotonic clock."""


class _OwnKey:
    """The key of this process, created at the first use. Child processes inherit it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._key: _Key | None = None

    def now(self) -> _Key:
        now_s = time.monotonic()
        with self._lock:
            if self._key is None or now_s - self._key.made_at_s > KEY_USED_S:
                raw = secrets.token_bytes(_KEY_BYTES)
                script = _SCRIPT.format(key=raw.hex())
                digest = hashlib.sha1(script.encode(), usedforsecurity=False).digest()
                self._key = _Key(script, digest, AESGCM(raw), now_s)
            return self._key


_OWN: Final = _OwnKey()


class PictureSeal:
    """Seals pictures for one Redis, and opens pictures that other processes sealed for it."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._told = b""
        self._told_at_s = 0.0
        self._loads: bool | None = None
        self._ciphers: OrderedDict[bytes, AESGCM] = OrderedDict()
        self._lock = threading.Lock()

    def seal(self, picture: bytes) -> bytes:
        """Return an encrypted picture for Redis, which is 49 bytes longer.

        Raises:
            RedisError: the key could not be sent to Redis.
        """
        key, now_s = _OWN.now(), time.monotonic()
        if self._told != key.digest or now_s - self._told_at_s > TELL_EVERY_S:
            self._tell(key.script)
            self._told, self._told_at_s = key.digest, now_s
        nonce = os.urandom(_NONCE_BYTES)
        return _FORMAT + key.digest + nonce + key.cipher.encrypt(nonce, picture, None)

    def open(self, sealed: bytes) -> bytes:
        """Return the picture that was sealed.

        Raises:
            MessageError: the text is not a sealed picture, is damaged, or Redis has forgotten its
            key. RedisError: the key could not be read from Redis.
        """
        if len(sealed) < _HEAD_BYTES or not sealed.startswith(_FORMAT):
            raise MessageError("a picture that is not sealed: upgrade all processes together")
        digest = sealed[len(_FORMAT) : len(_FORMAT) + _DIGEST_BYTES]
        nonce = sealed[_HEAD_BYTES - _NONCE_BYTES : _HEAD_BYTES]
        try:
            return self._cipher(digest).decrypt(nonce, sealed[_HEAD_BYTES:], None)
        except InvalidTag:
            raise MessageError("a sealed picture that is damaged") from None

    def opened(self, fields: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
        """Return a stream's entry with its picture decrypted. Raises as `open` does."""
        sealed = fields.get(PICTURE_FIELD)
        return {**fields, **({} if sealed is None else {PICTURE_FIELD: self.open(sealed)})}

    def _tell(self, script: str) -> None:
        """Load a script into Redis, in memory only."""
        if self._loads is None:
            version: Any = self._redis.info("server")
            # Redis 6.2 writes loaded scripts into its append-only file, but not scripts run once.
            self._loads = not str(version["redis_version"]).startswith("6.")
        if self._loads:
            self._redis.script_load(script)
        else:
            self._redis.eval(script, 0)

    def _cipher(self, digest: bytes) -> AESGCM:
        with self._lock:
            found = self._ciphers.get(digest)
        if found is None:
            found = AESGCM(self._asked_for(digest))
            with self._lock:
                self._ciphers[digest] = found
                while len(self._ciphers) > MOST_KEYS:
                    self._ciphers.popitem(last=False)
        return found

    def _asked_for(self, digest: bytes) -> bytes:
        try:
            answer: Any = self._redis.evalsha(digest.hex(), 0)
        except NoScriptError:
            raise MessageError("a sealed picture whose key Redis has forgotten") from None
        except ResponseError as error:
            if type(error) is not ResponseError:  # such as a server that is loading
                raise
            answer = None  # another script, not a key
        if not isinstance(answer, bytes) or not _HEX.fullmatch(answer):
            raise MessageError("a sealed picture that names no key")
        return bytes.fromhex(answer.decode())
