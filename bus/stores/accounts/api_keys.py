"""API keys for programs. Each has roles and an expiry; Redis stores only its hash."""

from __future__ import annotations

import hmac
import logging
import secrets
import time
from contextlib import suppress
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from redis import Redis
from redis.exceptions import ResponseError

from bus import keys
from bus.stores.accounts.tokens import digest, new_token
from bus.stores.accounts.users import check_grants, explain
from contract.accounts.grants import Grants, Role
from contract.errors import AccountError
from contract.names import PLAIN_NAME, alike
from contract.plain_text import STORED

PREFIX: Final = "mw"
LONGEST_DAYS: Final = 3650
NOTE_USE_EVERY_S: Final = 60
_log = logging.getLogger(__name__)


class ApiKey(BaseModel):
    """The record of a key, without the key itself."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    id: str = Field(pattern=r"^[a-z0-9]{1,32}$")
    name: Annotated[str, Field(min_length=1, max_length=64), PLAIN_NAME]
    kind: Literal["api", "metrics"]
    """`metrics` reads `/metrics` and nothing else."""
    grants: dict[str, Role] = {}
    digest: str = Field(repr=False)
    made_by: str
    created_at_s: float
    expires_at_s: float

    def may(self) -> Grants:
        return Grants(self.grants)

    def expired(self) -> bool:
        return time.time() >= self.expires_at_s


class ApiKeyStore:
    """The keys in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def all(self) -> list[ApiKey]:
        """Return every key by name; an unreadable record is logged and left out."""
        found: list[ApiKey] = []
        for key_id, record in self._redis.hgetall(keys.API_KEYS).items():
            try:
                found.append(ApiKey.model_validate_json(record, context=STORED))
            except ValidationError:
                _log.error("the API key %s cannot be read and is left out", str(key_id))
        return sorted(found, key=lambda key: key.name.lower())

    def get(self, key_id: str) -> ApiKey | None:
        """One key's record, or None."""
        record = self._redis.hget(keys.API_KEYS, key_id)
        try:
            return ApiKey.model_validate_json(record, context=STORED) if record else None
        except ValidationError:
            return None

    def add(
        self, name: str, grants: dict[str, Role], days: float, made_by: str, metrics: bool = False
    ) -> tuple[ApiKey, str]:
        """Create a key; return its record and the key itself, which is not stored.

        Raises:
            AccountError: name, roles or days cannot be used.
        """
        if not 0 < days <= LONGEST_DAYS:
            raise AccountError(f"days: expected 1 to {LONGEST_DAYS}, found {days:g}")
        key_id, now_s = secrets.token_hex(6), time.time()
        text = f"{PREFIX}_{key_id}_{new_token()}"
        try:
            if not metrics:
                grants = check_grants(grants)
            key = ApiKey(
                id=key_id,
                name=name,
                kind="metrics" if metrics else "api",
                grants={} if metrics else grants,
                digest=digest(text),
                made_by=made_by,
                created_at_s=now_s,
                expires_at_s=now_s + days * 86400,
            )
        except ValidationError as error:
            raise AccountError(explain(error)) from None
        except ValueError as error:
            raise AccountError(f"roles: {error}") from None
        if any(alike(other.name) == alike(key.name) for other in self.all()):
            raise AccountError(f"name: another key already has the name {key.name!r}")
        self._redis.hset(keys.API_KEYS, key.id, key.model_dump_json())
        return key, text

    def remove(self, key_id: str) -> ApiKey | None:
        """Remove a key; return its record."""
        found = self.get(key_id)
        self._redis.hdel(keys.API_KEYS, key_id)
        self._redis.hdel(keys.API_KEYS_USED, key_id)
        return found

    def find(self, text: str) -> ApiKey | None:
        """Return the record of the key `text`; None if it is unknown, removed or expired."""
        given = digest(text)
        prefix, _, rest = text.partition("_")
        key_id = rest.partition("_")[0]
        found = self.get(key_id) if prefix == PREFIX and key_id else None
        if found is None or found.expired() or not hmac.compare_digest(given, found.digest):
            return None
        self._note_use(found.id)
        return found

    def used_at_s(self) -> dict[str, float]:
        """When each key was last used, to the minute."""
        raw = self._redis.hgetall(keys.API_KEYS_USED)
        return {
            (name.decode() if isinstance(name, bytes) else name): float(at)
            for name, at in raw.items()
        }

    def _note_use(self, key_id: str) -> None:
        now_s = time.time()
        last = self._redis.hget(keys.API_KEYS_USED, key_id)
        if last is None or now_s - float(last) > NOTE_USE_EVERY_S:
            # A full Redis must not lock anybody out.
            with suppress(ResponseError):
                self._redis.hset(keys.API_KEYS_USED, key_id, f"{now_s:.0f}")
