"""Signed-in browsers. A cookie has a random token; Redis stores the session under its hash."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError
from redis import Redis
from redis.exceptions import ResponseError

from bus import keys
from bus.stores.accounts.tokens import digest, new_token

IDLE_S: Final = 12 * 3600
"""Seconds without a request (a shift) after which a browser must sign in again."""
LONGEST_S: Final = 30 * 86400
TOUCH_EVERY_S: Final = 60


class Session(BaseModel):
    """One signed-in browser."""

    model_config = ConfigDict(frozen=True)

    user_id: str
    started_at_s: float
    seen_at_s: float
    address: str
    browser: str


class SessionStore:
    """Sessions in Redis; each expires, or is ended."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def start(self, user_id: str, address: str, browser: str) -> str:
        """Start a session and return its token, which is not stored."""
        token, now_s = new_token(), time.time()
        session = Session(
            user_id=user_id,
            started_at_s=now_s,
            seen_at_s=now_s,
            address=address[:64],
            browser=browser[:200],
        )
        with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.set(keys.session(digest(token)), session.model_dump_json(), ex=IDLE_S)
            pipeline.sadd(keys.user_sessions(user_id), digest(token))
            pipeline.expire(keys.user_sessions(user_id), LONGEST_S)
            pipeline.execute()
        return token

    def find(self, token: str) -> Session | None:
        """Return the session of a token and note its use; None if it has ended."""
        found = self._read(digest(token))
        now_s = time.time()
        if found is None or now_s - found.started_at_s > LONGEST_S:
            return None
        if now_s - found.seen_at_s > TOUCH_EVERY_S:
            touched = found.model_copy(update={"seen_at_s": now_s})
            # A full Redis must not lock anybody out. XX: a session that just ended stays ended.
            with suppress(ResponseError):
                self._redis.set(
                    keys.session(digest(token)), touched.model_dump_json(), ex=IDLE_S, xx=True
                )
        return found

    def of_user(self, user_id: str) -> dict[str, Session]:
        """A user's sessions by the hash of their token, the newest first."""
        found = {}
        for name in self._redis.smembers(keys.user_sessions(user_id)):
            session_digest = _text(name)
            session = self._read(session_digest)
            if session is None:
                self._redis.srem(keys.user_sessions(user_id), name)
            else:
                found[session_digest] = session
        return dict(sorted(found.items(), key=lambda item: -item[1].seen_at_s))

    def end(self, token: str) -> None:
        """Sign one browser out."""
        session = self._read(digest(token))
        self._redis.delete(keys.session(digest(token)))
        if session:
            self._redis.srem(keys.user_sessions(session.user_id), digest(token))

    def end_all(self, user_id: str, but: str = "") -> int:
        """Sign a user out everywhere, except for the token `but`; return the number of sessions."""
        ended = set(self.of_user(user_id)) - ({digest(but)} if but else set())
        for session_digest in ended:
            self._redis.delete(keys.session(session_digest))
            self._redis.srem(keys.user_sessions(user_id), session_digest)
        return len(ended)

    def _read(self, session_digest: str) -> Session | None:
        record = self._redis.get(keys.session(session_digest))
        if record is None:
            return None
        try:
            return Session.model_validate_json(record)
        except ValidationError:
            return None


def _text(raw: bytes | str) -> str:
    return raw.decode() if isinstance(raw, bytes) else raw
