"""Passwords are hidden in every text, whatever the text, in time linear in its length."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.cameras.camera import make_camera
from contract.redaction import (
    HIDDEN,
    LONGEST_LOGGED,
    RedactingFormatter,
    cut_and_redact,
    hosts_alone,
    redact_text,
    redact_url,
)
from tests.hostile_texts import Shape
from tests.work import MOST_GROWTH, growth


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://admin:s3cret@10.0.0.9/live",
        "rtsp://admin:s3cret/w@rd?x#@10.0.0.9:554/live",
        "http://cam/video?user=admin&pwd=s3cret",
        "rtsp://s3cret:@cam/",
        "rtsp://admin:it's-s3cret@cam/live",
        'rtsp://admin:"<s3cret>"@cam/live',
        "rtsp://admin:very s3cret@cam/live",
    ],
)
def test_no_part_of_a_password_survives_redaction(url: str) -> None:
    assert "s3cret" not in redact_url(url)
    assert "s3cret" not in redact_text(f"could not open '{url}' today")
    assert "s3cret" not in str(make_camera(name="x", source=url).public())


@pytest.mark.parametrize(
    "words",
    [
        "rtsp://10.0.0.9:554 is down, tell ops@example.org; see http://host/live 'here'",
        "a." * 50_000,  # takes minutes where the length of a scheme has no bound
        "a://x: " * 5_000,
    ],
    ids=["port", "dots", "schemes"],
)
def test_what_is_no_password_stays_as_it_is(words: str) -> None:
    assert redact_text(words) == words


@pytest.mark.parametrize(
    ("address", "shown", "host"),
    [
        ("rtsp://10.0.0.9/live", "rtsp://10.0.0.9/live", "rtsp://10.0.0.9/***"),
        ("rtsp://10.0.0.9:554/", "rtsp://10.0.0.9:554/", "rtsp://10.0.0.9/***"),
        ("rtsp://10.0.0.9/", "rtsp://10.0.0.9/", "rtsp://10.0.0.9"),
        ("rtsp://h/Streaming/Channels/101", "rtsp://h/Streaming/Channels/101", "rtsp://h/***"),
        ("rtsp://h/user=a_password=X_channel=1", "rtsp://h/***", "rtsp://h/***"),
        ("rtsp://h:7447/hXq7pLm2vT9k", "rtsp://h:7447/***", "rtsp://h/***"),
        ("rtsp://h/s3cret/live;pw=X", "rtsp://h/***/***", "rtsp://h/***"),
        (
            "http://h/video?pw=X&Xq7&channel=2",
            "http://h/video?pw=***&***&channel=***",
            "http://h/***",
        ),
        ("http://h?X#X", "http://h?***", "http://h/***"),
        ("http://h#X", "http://h/***", "http://h/***"),
        ("rtsp://u:X@[fe80::1]:554/ch1", "rtsp://***@[fe80::1]:554/ch1", "rtsp://[fe80::1]/***"),
        ("rtsp://u:X@10.0.0.9/live@X", "rtsp://10.0.0.9/***", "rtsp://10.0.0.9/***"),
        ("rtsp://10.0.0.9/to@X", "rtsp://10.0.0.9/***", "rtsp://10.0.0.9/***"),
        ("rtsp://hall/to@X", "rtsp://***", "rtsp://***"),
        ("rtsp://u:X", "rtsp://***", "rtsp://***"),
        ("/films/a.mp4", "/films/a.mp4", "/films/a.mp4"),
        ("demo:seed=1", "demo:seed=1", "demo:seed=1"),
    ],
)
def test_whoever_may_change_a_camera_sees_plain_words_and_others_its_host(
    address: str, shown: str, host: str
) -> None:
    camera = make_camera(name="x", source=address)
    assert (camera.redacted_source, camera.public_source) == (shown, host)
    assert camera.public()["source"] == host
    assert camera.public(may_change=True)["source"] == shown
    assert redact_text(f"no answer from {address}, again") == f"no answer from {shown}, again"


@given(st.text("abX:/@?&=#.;[]*15 ", max_size=40))
def test_what_is_shown_is_the_whole_address_or_says_what_is_hidden(rest: str) -> None:
    address = f"rtsp://{rest}"
    shown = redact_url(address)
    assert shown == address or HIDDEN in shown
    assert redact_url(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("?source=rtsp%3A%2F%2Fadmin%3As3cret%40h&n=1 x", "?source=rtsp%3A%2F%2F*** x"),
        ("rtsp%253a%252f%252fadmin%253as3cret%2540h", "rtsp%253a%252f%252f***"),
        ("rtsp:%2F%2Fadmin:s3cret@h, x", "rtsp:%2F%2F*** x"),
        ("rtsp%3A//admin:s3cret@h", "rtsp%3A//***"),
        (r'{"u": "rtsp:\/\/admin:s3cret@h\/x"}', r'{"u": "rtsp:\/\/***"}'),
        ("nothing after https%3A%2F%2F here", "nothing after https%3A%2F%2F here"),
        ("100%3a day, C:\\films", "100%3a day, C:\\films"),
    ],
)
def test_an_address_that_is_encoded_shows_nothing_but_its_type(text: str, shown: str) -> None:
    assert redact_text(text) == redact_text(shown) == hosts_alone(text) == shown


LONG = 400_000
ADVERSARIAL: dict[str, str] = {
    "names without values": "http://h/?" + "?key",
    "one long name": "http://h/?" + "key",
    "parameters": "a://h?" + "&",
    "schemes": "a://" + "a://",
    "schemes in quotes": "a://" + 'a://"',
    "users": "a://" + 'a://u:"',
    "ends of passwords": "a://" + 'a://@"',
    "schemes and blanks": "a://" + "a://x: ",
    "a password of blanks": "a://u:" + " ",
    "a port of many digits": "a://u:" + "1",
    "an empty password": "a://" + "http://x:@ ",
    "lines": "a://" + "http://x:\n",
    "dots": "a://" + "a.",
    "encoded addresses": "a://" + "rtsp%3A%2F%2F ",
    "encoded signs": "a://" + " %252525",
    "backslashes": "a://" + " :\\\\",
}
"""Texts on which a search that goes back takes more than linear time: the beginning is to be
followed by its last characters again and again."""


@pytest.mark.parametrize("work", [redact_text, redact_url])
@pytest.mark.parametrize("name", ADVERSARIAL)
def test_redaction_takes_time_linear_in_the_text(work: Callable[[str], str], name: str) -> None:
    begin, separator, repeated = ADVERSARIAL[name].partition("://")
    found = growth(work, Shape(begin + separator, repeated), LONG)
    assert found.times <= MOST_GROWTH, found


@pytest.mark.parametrize("cut", range(8, 60))
def test_no_part_of_a_password_survives_where_a_text_is_cut(cut: int) -> None:
    text = "rtsp://admin:s3cret word@10.0.0.9/live is down"
    shown = cut_and_redact(text, cut)
    assert "s3" not in shown
    assert "adm" not in shown


def test_a_line_of_the_log_has_a_greatest_length() -> None:
    record = logging.LogRecord("x", logging.INFO, __file__, 1, "x" * 10**6, None, None)
    line = RedactingFormatter("%(message)s").format(record)
    assert len(line) < LONGEST_LOGGED + 100
    assert line.endswith("(980000 more characters)")


def test_a_sentence_about_kinds_of_addresses_stays_as_it_is() -> None:
    sentence = "sources of type ftp:// are not supported; expected rtsp://, http:// or https://"
    assert redact_text(sentence) == sentence
