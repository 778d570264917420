"""What a camera that asks for a password is told, by the examples of the standards."""

from __future__ import annotations

import secrets

import pytest

from ingest.reach.address import parse_source
from ingest.reach.challenges import MOST_CHALLENGES, Challenge, read_challenges
from ingest.reach.login import MOST_REFUSED, Login

RFC_2617 = (
    'Digest realm="testrealm@host.com", qop="auth,auth-int", '
    'nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
)
RFC_7616 = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
    'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)


@pytest.mark.parametrize(
    ("challenge", "secret", "client", "response"),
    [
        (RFC_2617, "Circle Of Life", "0a4f113b", "6629fae49393a05397450978507c4ef1"),
        (
            RFC_7616.format(algorithm="MD5"),
            "Circle of Life",
            "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            "8ca523f5e9506fed4657c9700eebdbec",
        ),
        (
            RFC_7616.format(algorithm="SHA-256"),
            "Circle of Life",
            "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        ),
        (
            'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"',
            "CircleOfLife",
            "",
            "1949323746fe6a43ef61f9606e7febea",  # RFC 2069 with its erratum
        ),
    ],
)
def test_the_standards_examples_are_answered_as_they_say(
    challenge: str, secret: str, client: str, response: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "token_hex", lambda _: client)
    login = Login(("Mufasa", secret))
    assert login.authorization("GET", "/dir/index.html") == ""
    assert login.challenged([challenge])
    assert f'response="{response}"' in login.authorization("GET", "/dir/index.html")


def test_who_has_no_name_is_told_nothing() -> None:
    login = Login(("", ""))
    assert not login.challenged(['Basic realm="c"'])
    assert login.authorization("DESCRIBE", "rtsp://cam/") == ""


def test_basic_says_what_was_typed() -> None:
    login = Login(("admin", "pässword"))
    assert login.challenged(["Basic"])
    assert login.authorization("DESCRIBE", "rtsp://cam/") == "Basic YWRtaW46cMOkc3N3b3Jk"


def test_the_strongest_hash_is_answered_as_the_standard_and_its_erratum_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # RFC 7616, 3.9.2, as corrected by erratum 4897: with a hashed user name, and in UTF-8.
    monkeypatch.setattr(
        secrets, "token_hex", lambda _: "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v"
    )
    login = Login(("Jäsøn Doe", "Secret, or not?"))
    offer = (
        'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, '
        'nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", '
        'opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8, userhash=true'
    )
    assert login.challenged([offer])
    said = read_challenges([login.authorization("GET", "/doe.json")])[0].fields
    user = "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"
    response = "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"
    assert (said["username"], said["response"]) == (user, response)
    assert said["userhash"] == "true"


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("Basic", [("basic", {})]),
        ('DIGEST Realm = "a, b" , NONCE="n="', [("digest", {"realm": "a, b", "nonce": "n="})]),
        ("Digest realm=IP Camera, nonce=n==", [("digest", {"realm": "IP Camera", "nonce": "n=="})]),
        ('Digest realm="a" nonce="n"', [("digest", {"realm": "a", "nonce": "n"})]),
        ("Digest qop=auth,auth-int,nonce=n", [("digest", {"qop": "auth", "nonce": "n"})]),
        (r'Digest realm="a \"b\" \\c"', [("digest", {"realm": 'a "b" \\c'})]),
        (
            'Basic realm="x", Digest nonce=n, Negotiate',
            [("basic", {"realm": "x"}), ("digest", {"nonce": "n"}), ("negotiate", {})],
        ),
        ('realm="nobody\'s"', []),
        ("", []),
    ],
)
def test_challenges_are_read_however_they_are_written(
    header: str, found: list[tuple[str, dict[str, str]]]
) -> None:
    assert read_challenges([header]) == [Challenge(*one) for one in found]


@pytest.mark.parametrize(
    "piece", ["a ", "a=", '"', "\\", "a=b c ", "a-", "a, ", " ", '="', "Basic,"]
)
def test_no_header_takes_long_to_read(piece: str) -> None:
    assert len(read_challenges([piece * 100_000] * 100)) <= MOST_CHALLENGES


MD5, SHA_256 = 'Digest realm="c", nonce="n"', 'Digest realm="c", nonce="n", algorithm=SHA-256'


def ways(login: Login, *headers: str, most: int = 20) -> list[str]:
    """Refuse a login for ever; return what it tried."""
    tried = []
    while login.challenged(headers) and len(tried) < most:
        said = login.authorization("GET", "/")
        tried.append("SHA-256" if "SHA-256" in said else said.partition(" ")[0])
    return tried


def test_each_way_is_tried_once_and_a_camera_that_wants_it_for_ever_is_left() -> None:
    login = Login(("admin", "no"))
    assert ways(login, "Basic", MD5, SHA_256) == ["SHA-256", "Digest", "Basic"]
    assert login.authorization("GET", "/") == ""
    assert ways(login, "Basic", MD5, SHA_256) == [], "this login was refused"
    assert ways(Login(("admin", "no")), f"{MD5}, stale=true") == ["Digest"] * 2
    odd = Login(("ädmin", "%41"), ("ädmin", "A"))
    assert len(ways(odd, "Basic", MD5, SHA_256)) == MOST_REFUSED


def test_a_way_that_worked_is_tried_again_with_a_new_nonce() -> None:
    login = Login(("admin", "yes"))
    for number in range(5):
        assert login.challenged([f'Digest realm="c", nonce="{number}"', "Basic"])
        assert f'nonce="{number}"' in login.authorization("GET", "/")
        login.accepted()
    assert login.challenged([MD5, "Basic"])
    assert login.challenged([MD5, "Basic"])
    assert login.authorization("GET", "/").startswith("Basic "), "the password was changed"


def test_no_two_requests_have_the_same_count_for_one_nonce() -> None:
    login = Login(("admin", "%41"), ("admin", "A"))
    offer, counts = f'{MD5}, qop="auth"', []
    for _ in range(2):
        assert login.challenged([offer])
        counts += [login.authorization("GET", "/")[-11:] for _ in range(2)]
    assert len(set(counts)) == 4


def test_no_symbol_of_a_name_ends_its_place_in_the_header() -> None:
    login = Login(('a"\r\nX: y\\', "p"))
    login.challenged([MD5])
    said = login.authorization("GET", "/")
    assert "\r" not in said
    assert "\n" not in said
    assert read_challenges([said])[0].fields["username"] == 'a"X: y\\'


@pytest.mark.parametrize(
    ("typed", "logins"),
    [
        ("admin:100%", [("admin", "100%")]),
        ("admin:100%25", [("admin", "100%"), ("admin", "100%25")]),
        ("admin:p@ss:w/rd", [("admin", "p@ss:w/rd")]),
        ("adm%40in:p", [("adm@in", "p"), ("adm%40in", "p")]),
        ("admin", [("admin", "")]),
    ],
)
def test_a_typed_login_is_read_in_each_way_that_it_may_be_meant(
    typed: str, logins: list[tuple[str, str]]
) -> None:
    address = parse_source(f"http://{typed}@10.0.0.9/live")
    assert list(address.logins) == logins
    assert list(address.moved_to("/other").logins) == logins
    assert address.moved_to("http://10.0.0.8/live").logins == ()
    assert parse_source("http://10.0.0.9/live").logins == ()
