"""Checks logins as cameras do, by code of its own, over RTSP and HTTP alike."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from werkzeug.datastructures import Authorization

from tests.servers.camera_faults import Fault, Reply
from tests.servers.faulty_rtsp import FaultyRtspCamera

HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
NONCE = "dcd98b7102dd2f0e=="


def digest(algorithm: str = "MD5", qop: str = 'qop="auth", ', more: str = "") -> str:
    """Return an offer as cameras write it."""
    named = f", algorithm={algorithm}" if algorithm else ""
    return f'Digest realm="IP Camera(GH455)", {qop}nonce="{NONCE}"{named}{more}'


@dataclass
class Doorman:
    """Lets one user in by the ways it offers, and writes down who tried what."""

    offers: Sequence[str]
    user: str = "admin"
    password: str = "s3cret"  # noqa: S105 - nobody's
    encoding: str = "utf-8"
    broken: Sequence[str] = ()
    """Schemes or algorithms that are offered and never let anybody in."""
    forgets: bool = False
    """Whether a nonce is good for one request, and nobody is told that an old one is stale."""
    tried: list[str] = field(default_factory=list)
    """The scheme or algorithm of every attempt."""
    refusals: int = 0
    nonces: dict[str, str] = field(default_factory=dict)
    """Counts by nonce: none may come twice."""

    def lets_in(self, method: str, uri: str, said: str) -> bool:
        if not said:
            return False
        scheme = said.partition(" ")[0]
        parameters = Authorization.from_header(said) if scheme == "Digest" else None
        algorithm = (parameters and parameters.get("algorithm")) or "MD5"
        way = scheme if parameters is None else algorithm
        self.tried.append(way)
        if way in self.broken or not any(self._offers(one, way) for one in self.offers):
            return False
        if parameters is None:
            given = base64.b64decode(said.partition(" ")[2])
            return given == f"{self.user}:{self.password}".encode(self.encoding)
        return self._is_right(parameters, algorithm, method, uri)

    def _offers(self, offer: str, way: str) -> bool:
        return f"algorithm={way}" in offer.replace('"', "") or (
            offer.startswith("Basic") if way == "Basic" else way == "MD5" and "algo" not in offer
        )

    def _is_right(self, said: Authorization, algorithm: str, method: str, uri: str) -> bool:
        def hashed(*parts: bytes) -> bytes:
            name = HASHES[algorithm.removesuffix("-sess")]
            return hashlib.new(name, b":".join(parts)).hexdigest().encode()

        def sent(name: str) -> bytes:
            return str(said.get(name) or "").encode("latin-1")

        user, password = (one.encode(self.encoding) for one in (self.user, self.password))
        secret = hashed(user, sent("realm"), password)
        if algorithm.endswith("-sess"):
            secret = hashed(secret, sent("nonce"), sent("cnonce"))
        asked = hashed(method.encode(), uri.encode("latin-1"))
        middle: list[bytes] = []
        if sent("qop"):
            middle = [sent("nc"), sent("cnonce"), sent("qop")]
            if self.nonces.get(said.get("nonce") or "", "") >= (said.get("nc") or ""):
                return False  # a count that was there before
            self.nonces[said.get("nonce") or ""] = said.get("nc") or ""
        if sent("qop") == b"auth-int":
            asked = hashed(method.encode(), uri.encode("latin-1"), hashed(b""))
        if self.forgets and said.get("nonce") != self._nonce:
            return False
        if self.forgets:
            self.refusals += 1  # whoever comes next is asked anew
        if sent("uri") != uri.encode("latin-1") or sent("username") != user:
            return False
        return sent("response") == hashed(secret, sent("nonce"), *middle, asked)

    @property
    def refusal(self) -> Reply:
        self.refusals += 1
        offers = [one.replace(NONCE, self._nonce) for one in self.offers]
        return Reply(401, "Unauthorized", tuple(("WWW-Authenticate", one) for one in offers))

    @property
    def _nonce(self) -> str:
        return f"{self.refusals}{NONCE}" if self.forgets else NONCE


@dataclass(frozen=True)
class AsksForLogin(Fault):
    """An RTSP camera that lets nobody describe or play who is not let in."""

    doorman: Doorman
    camera: FaultyRtspCamera

    def reply(self, step: str, path: str) -> Reply | None:
        request = self.camera.requests[-1]
        said = request.headers.get("authorization", "")
        if step == "OPTIONS" or self.doorman.lets_in(step, request.url, said):
            return None
        return self.doorman.refusal
