"""What a camera that asks for a password is told, by the examples of the standards."""

from __future__ import annotations

import secrets

import pytest

from ingest.reach.login import Login

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
    login = Login("Mufasa", secret)
    assert login.authorization("GET", "/dir/index.html") == ""
    assert login.challenged([challenge])
    assert f'response="{response}"' in login.authorization("GET", "/dir/index.html")


def test_who_has_no_name_is_told_nothing() -> None:
    login = Login("", "")
    assert not login.challenged(['Basic realm="c"'])
    assert login.authorization("DESCRIBE", "rtsp://cam/") == ""


def test_basic_says_what_was_typed() -> None:
    login = Login("admin", "pässword")
    assert login.challenged(["Basic"])
    assert login.authorization("DESCRIBE", "rtsp://cam/") == "Basic YWRtaW46cMOkc3N3b3Jk"
