"""Stores one-time links, each of which sets an account's password."""

from __future__ import annotations

from typing import Final

from redis import Redis

from bus import keys
from bus.stores.accounts.tokens import digest, new_token

LASTS_S: Final = 24 * 3600
PATH: Final = "/welcome/"


class LinkStore:
    """Links in Redis, by the hash of their token; each user has at most one valid link."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def create(self, user_id: str) -> str:
        """Return the path of a new link; the user's earlier one stops working."""
        token = new_token()
        with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.set(keys.link(digest(token)), user_id, ex=LASTS_S)
            pipeline.set(keys.user_link(user_id), digest(token), ex=LASTS_S)
            pipeline.execute()
        return PATH + token

    def read(self, token: str) -> str | None:
        """Return the user of a valid link, without using it up; None otherwise."""
        return self._owner(token, _text(self._redis.get(keys.link(digest(token)))))

    def take(self, token: str) -> str | None:
        """Use the link up and return its user; only one caller gets the user, all others None."""
        return self._owner(token, _text(self._redis.getdel(keys.link(digest(token)))))

    def void(self, user_id: str) -> None:
        """Make a user's link stop working."""
        self._redis.delete(keys.user_link(user_id))

    def _owner(self, token: str, user_id: str | None) -> str | None:
        """Return the user of a link, if it is the user's valid one."""
        if user_id is None or _text(self._redis.get(keys.user_link(user_id))) != digest(token):
            return None
        return user_id


def _text(raw: bytes | str | None) -> str | None:
    return raw.decode() if isinstance(raw, bytes) else raw
