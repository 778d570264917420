"""Signs in to a camera with user and password: Digest (RFC 7616) or Basic (RFC 7617).

RTSP, HTTP and HTTPS all sign in here, because FFmpeg knows neither SHA-256 over HTTP nor a second
way when the first is refused.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from ingest.reach.challenges import Challenge, read_challenges

Hash = Callable[[bytes], Any]
# Most cameras need MD5, also on systems that otherwise forbid it.
_MD5: Final[Hash] = partial(hashlib.md5, usedforsecurity=False)
HASHES: Final[dict[str, Hash]] = {
    "SHA512256": partial(hashlib.new, "sha512_256"),
    "SHA256": hashlib.sha256,
    "MD5": _MD5,
}
"""By name without dashes, because some cameras write `SHA256`; the strongest first."""
BASIC: Final = "BASIC"
MOST_REFUSED: Final = 4
"""Most ways tried at one connection: a camera that locks accounts counts every one."""
_SESSION: Final = "SESS"
_NOT_IN_NAMES: Final = re.compile("[^A-Z0-9]")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]+")


@dataclass
class _Way:
    """One way to sign in: a challenge, and user and password in one spelling.

    user, password: one character for each byte, as headers carry them.
    """

    name: tuple[str, int]
    asked: Challenge
    user: str
    password: str
    count: int = 0
    client: str = ""
    """Our nonce, the same for a whole challenge: with MD5-sess the secret depends on it."""

    @property
    def stale(self) -> bool:
        """Whether the camera says that only its nonce is too old."""
        return self.asked.fields.get("stale", "").lower() == "true"

    def follow(self, other: _Way) -> None:
        """Go on counting requests where a way with the same nonce stopped."""
        if self.asked.fields.get("nonce") == other.asked.fields.get("nonce"):
            self.count = other.count

    def authorization(self, method: str, uri: str) -> str:
        """Return the header's value for one request."""
        if self.name[0] == BASIC:
            both = f"{self.user}:{self.password}".encode("latin-1")
            return f"Basic {base64.b64encode(both).decode()}"
        self.count += 1
        self.client = self.client or secrets.token_hex(8)
        return _digest(self, method, uri)


class Login:
    """The login of one user at one camera. Remembers what the camera asked for and refused."""

    def __init__(self, *readings: tuple[str, str]) -> None:
        """`readings`: user and password, in each way in which the typed address can be read."""
        self._readings = [one for one in readings if one[0]]
        self._way: _Way | None = None
        self._refused: set[tuple[str, int]] = set()
        self._accepted = self._renewed = False

    def challenged(self, headers: Sequence[str]) -> bool:
        """Choose how to answer a refusal with these challenges; False if nothing is left to try.

        The strongest way that was not refused yet is next. A way that worked is tried once more
        with the new nonce, because some cameras forget to say that the old one is stale.
        """
        ways = list(self._ways(read_challenges(headers)))
        if self._way:
            for way in ways:
                way.follow(self._way)
            same = next((way for way in ways if way.name == self._way.name), None)
            if same and not self._renewed and (self._accepted or same.stale):
                self._way, self._renewed, self._accepted = same, True, False
                return True
            self._refused.add(self._way.name)
        self._renewed = self._accepted = False
        left = (way for way in ways if way.name not in self._refused)
        self._way = next(left, None) if len(self._refused) < MOST_REFUSED else None
        return self._way is not None

    def accepted(self) -> None:
        """Note that the camera answered a request with another status than 401."""
        self._accepted, self._renewed = self._way is not None, False

    def authorization(self, method: str, uri: str) -> str:
        """Return the header's value for one request; empty if the camera asked for none."""
        return self._way.authorization(method, uri) if self._way else ""

    def _ways(self, offered: Sequence[Challenge]) -> Iterator[_Way]:
        """Yield what may be tried: each offer, then other spellings with the strongest of them."""
        if not self._readings:
            return
        user, password = map(as_sent, self._readings[0])
        strengths = (*HASHES, BASIC)
        known = [asked for asked in offered if _strength(asked) in strengths]
        known.sort(key=lambda asked: strengths.index(_strength(asked)))
        for asked in known:
            yield _Way((_algorithm(asked), 0), asked, user, password)
        for asked in known[:1]:
            for number, (user, password) in enumerate(self._other_spellings(asked), 1):
                yield _Way((_algorithm(asked), number), asked, user, password)

    def _other_spellings(self, asked: Challenge) -> Iterator[tuple[str, str]]:
        """Yield user and password as typed, then in Latin-1, which old cameras may expect."""
        for user, password in self._readings[1:]:
            yield as_sent(user), as_sent(password)
        if asked.fields.get("charset") or _strength(asked) not in ("MD5", BASIC):
            return
        for user, password in self._readings[:1]:
            both = user + password
            if not both.isascii() and all(ord(one) < 256 for one in both):
                yield user, password


def as_sent(text: str) -> str:
    """Return text as headers carry it: one character for each byte of its UTF-8."""
    return text.encode().decode("latin-1")


def _strength(asked: Challenge) -> str:
    return _algorithm(asked).removesuffix(_SESSION)


def _algorithm(asked: Challenge) -> str:
    """Return a name of `HASHES`, perhaps with `SESS`, or `BASIC`, or something unsupported."""
    if asked.scheme != "digest":
        return asked.scheme.upper()
    return _NOT_IN_NAMES.sub("", asked.fields.get("algorithm", "").upper()) or "MD5"


def _digest(way: _Way, method: str, uri: str) -> str:
    asked, name, fields = way.asked, way.name[0], way.asked.fields
    realm, nonce = fields.get("realm", ""), fields.get("nonce", "")
    session = name.endswith(_SESSION)

    def hashed(*parts: str) -> str:
        data = ":".join(parts).encode("latin-1", "replace")
        return str(HASHES[name.removesuffix(_SESSION)](data).hexdigest())

    secret = hashed(way.user, realm, way.password)
    if session:
        secret = hashed(secret, nonce, way.client)
    asked_for = [method, uri]
    quality = next((one for one in ("auth", "auth-int") if asked.lists("qop", one)), "")
    if quality == "auth-int":
        asked_for.append(hashed(""))  # our requests have no body
    count = f"{way.count:08x}"
    middle = [count, way.client, quality] if quality else []  # without: the form of RFC 2069
    hides_name = fields.get("userhash", "").lower() == "true"
    said = {
        "username": hashed(way.user, realm) if hides_name else way.user,
        "realm": realm,
        "nonce": nonce,
        "uri": uri,
        "response": hashed(secret, nonce, *middle, hashed(*asked_for)),
    }
    said |= {"opaque": fields["opaque"]} if "opaque" in fields else {}
    said |= {"cnonce": way.client} if quality or session else {}
    words = [f'{key}="{_escaped(value)}"' for key, value in said.items()]
    words += [f"algorithm={fields['algorithm']}"] if fields.get("algorithm") else []
    words += [f"qop={quality}", f"nc={count}"] if quality else []
    words += ["userhash=true"] if hides_name else []
    return "Digest " + ", ".join(words)


def _escaped(value: str) -> str:
    """Return a value for between quotes: RFC 9110, 5.6.4, and never a line's end."""
    return _CONTROL.sub("", value).replace("\\", "\\\\").replace('"', '\\"')
