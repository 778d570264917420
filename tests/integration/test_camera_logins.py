"""Cameras that ask for a login: over RTSP, HTTP and HTTPS, in every way that cameras know."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from redis import Redis

from contract.cameras.camera import make_camera
from contract.errors import SourceAuthenticationError
from ingest.sources.source import open_source
from runtime.settings import load_settings
from tests.builders import Patience, everything_in
from tests.secret_key import cameras_of
from tests.servers.certificates import Authority
from tests.servers.doorman import AsksForLogin, Doorman, digest
from tests.servers.faulty_rtsp import FaultyRtspCamera
from tests.servers.http import closed_port
from tests.servers.ingest_process import eventually, ingest_process, status
from tests.servers.odd_web import Motion, web_camera
from tests.servers.rtsp import with_login

SETTINGS = load_settings(open_timeout_s=6, read_timeout_s=5)
BASIC = 'Basic realm="IP Camera(GH455)"'
SHA_512 = digest("SHA-512-256", more=", charset=UTF-8")
MD5, SHA_256 = digest(), digest("SHA-256")


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    return Authority(tmp_path_factory.mktemp("tls"), "camera").server_context()


@contextmanager
def camera(scheme: str, doorman: Doorman, tls: ssl.SSLContext) -> Iterator[str]:
    """Serve a camera of this scheme behind a doorman; yield its address."""
    secure = tls if scheme in ("rtsps", "https") else None
    if scheme.startswith("http"):
        with web_camera(Motion(), doorman, secure) as served:
            yield served.url
    else:
        with FaultyRtspCamera(tls=secure) as served:
            served.begin(AsksForLogin(doorman, served))
            yield served.url


def shows(source: str) -> bool:
    opened = open_source(source, SETTINGS, Patience())
    try:
        return next(opened.frames()).image(160).shape[1] == 160
    finally:
        opened.close()


SCHEMES = ("rtsp", "rtsps", "http", "https")
OFFERS = {
    "Basic": ([BASIC], ["Basic"]),
    "MD5": ([MD5], ["MD5"]),
    "MD5 without qop": ([digest("", qop="")], ["MD5"]),
    "MD5-sess": ([digest("MD5-sess")], ["MD5-sess"]),
    "MD5-sess without qop": ([digest("MD5-sess", qop="")], ["MD5-sess"]),
    "SHA-256": ([SHA_256], ["SHA-256"]),
    "SHA-256-sess": ([digest("SHA-256-sess")], ["SHA-256-sess"]),
    "SHA-512-256": ([SHA_512], ["SHA-512-256"]),
    "auth-int": ([digest(qop='qop="auth-int", ')], ["MD5"]),
    "auth,auth-int": ([digest(qop="qop=auth,auth-int, ")], ["MD5"]),
    "the strongest first": ([BASIC, MD5, SHA_256, SHA_512], ["SHA-512-256"]),
    "all in one header": ([f"{BASIC}, {MD5}, {SHA_256}"], ["SHA-256"]),
    "quoted algorithm": ([MD5.replace("=MD5", '="MD5"')], ["MD5"]),
    "no commas": ([MD5.replace(", ", " ")], ["MD5"]),
    "unknown beside Basic": ([digest("Unheard-of"), "Negotiate", BASIC], ["Basic"]),
}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("offer", OFFERS)
def test_every_offer_is_answered_by_its_strongest_way(
    scheme: str, offer: str, tls: ssl.SSLContext
) -> None:
    offers, ways = OFFERS[offer]
    doorman = Doorman(offers)
    with camera(scheme, doorman, tls) as url:
        assert shows(with_login(url, doorman.user, doorman.password))
    assert list(dict.fromkeys(doorman.tried)) == ways


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    ("offers", "broken", "ways"),
    [
        ([SHA_256, MD5, BASIC], ["SHA-256"], ["SHA-256", "MD5"]),
        (
            [SHA_512, SHA_256, BASIC],
            ["SHA-512-256", "SHA-256"],
            ["SHA-512-256", "SHA-256", "Basic"],
        ),
        ([MD5, BASIC], ["MD5"], ["MD5", "Basic"]),
    ],
)
def test_what_the_camera_offers_and_gets_wrong_is_followed_by_the_next(
    scheme: str, offers: list[str], broken: list[str], ways: list[str], tls: ssl.SSLContext
) -> None:
    doorman = Doorman(offers, broken=broken)
    with camera(scheme, doorman, tls) as url:
        assert shows(with_login(url, doorman.user, doorman.password))
    assert list(dict.fromkeys(doorman.tried)) == ways


PASSWORDS = {
    "p@ss:w/rd": "p@ss:w/rd",
    "p%40ss%3Aw%2Frd": "p@ss:w/rd",
    "100%": "100%",
    "100%25": "100%",
    "literally 100%25": "literally 100%25",
    "q\"u\\o'te`s": "q\"u\\o'te`s",
    "p@s:/#?&=+;,$!*()[]{}<>|^~ü s": "p@s:/#?&=+;,$!*()[]{}<>|^~ü s",
    "пароль密码🔑": "пароль密码🔑",
}
"""A password as somebody types it into the address, and what it is."""


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("offer", [BASIC, MD5, SHA_512])
def test_any_symbol_may_stand_in_user_and_password_encoded_or_not(
    scheme: str, offer: str, tls: ssl.SSLContext
) -> None:
    for typed, password in PASSWORDS.items():
        doorman = Doorman([offer], user='adm"in@x', password=password)
        with camera(scheme, doorman, tls) as url:
            assert shows(url.replace("://", f'://adm"in@x:{typed}@', 1)), typed


def test_an_old_camera_that_counts_in_latin_1_is_understood(tls: ssl.SSLContext) -> None:
    for offer in (BASIC, MD5):
        doorman = Doorman([offer], "admin", "müßig", encoding="latin-1")
        with camera("http", doorman, tls) as url:
            assert shows(url.replace("://", "://admin:müßig@", 1))
        assert len(doorman.tried) == 2, "UTF-8 first"


def test_a_wrong_password_is_told_and_tried_once_for_each_way(tls: ssl.SSLContext) -> None:
    for scheme in SCHEMES:
        doorman = Doorman([SHA_256, MD5, BASIC])
        refused = pytest.raises(SourceAuthenticationError, match="refuses the user name or pass")
        with camera(scheme, doorman, tls) as url, refused:
            shows(with_login(url, "admin", "wr0ng&%"))
        assert sorted(set(doorman.tried)) == ["Basic", "MD5", "SHA-256"]
        assert len(doorman.tried) <= 4


def test_a_reader_does_not_lock_the_account_and_no_password_gets_out(
    redis: Redis, redis_url: str, tls: ssl.SSLContext, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = "tO0-s3cret&%41"  # noqa: S105 - nobody's
    doorman = Doorman([MD5, BASIC])
    with (
        camera("http", doorman, tls) as url,
        camera("rtsp", doorman, tls) as rtsp_url,
        ingest_process(redis_url) as ingest,
    ):
        sources = [with_login(one, "admin", secret) for one in (url, rtsp_url)]
        sources.append(f"rtsp://127.0.0.1:{closed_port()}/live")
        *refused, dead = [
            cameras_of(redis).add(make_camera(name=f"gate {n}", source=source))
            for n, source in enumerate(sources)
        ]
        for one in refused:
            assert eventually(lambda c=one: status(redis, c).error_kind == "authentication")
        tried = len(doorman.tried)
        before = status(redis, dead).reconnects
        assert eventually(lambda: status(redis, dead).reconnects > before + 3)
        words = " ".join(status(redis, one).error for one in refused)
        ingest.stop()
    told = words + capfd.readouterr().err + everything_in(redis).decode("latin-1")
    assert len(doorman.tried) == tried <= 2 * 3, "both ways and, over both schemes, as typed"
    for piece in ("s3cret", "%2541", doorman.refusal.headers[0][1]):
        assert piece not in told
