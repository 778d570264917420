"""What goes through an RTSP connection, taken apart and written anew."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.rtsp.messages import Message, NotRtspError, Splitter, packet, packets

ANSWER = (
    b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Type: application/sdp\r\nContent-Length: 4\r\n\r\nv=0\n"
)
REQUEST = b"OPTIONS rtsp://cam/live RTSP/1.0\r\nCSeq: 3\r\n\r\n"


def split(*parts: bytes) -> list[bytes | Message]:
    splitter = Splitter()
    return [item for part in parts for item in splitter.feed(part)]


@given(st.data())
def test_however_it_arrives_the_same_comes_out(data: st.DataObject) -> None:
    payloads = data.draw(st.lists(st.binary(max_size=300), max_size=4))
    sent = ANSWER + b"".join(packet(0, one) for one in payloads) + REQUEST + packet(1, b"x")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=8)))
    edges = [0, *cuts, len(sent)]
    parts = [sent[a:b] for a, b in itertools.pairwise(edges)]
    items = split(*parts)
    messages = [item for item in items if isinstance(item, Message)]
    runs = [item for item in items if isinstance(item, bytes)]
    assert [(one.status, one.body) for one in messages] == [(200, b"v=0\n"), (0, b"")]
    assert [pair for run in runs for pair in packets(run)] == [
        *((0, payload) for payload in payloads),
        (1, b"x"),
    ]


def test_a_message_is_written_as_we_write_whatever_it_came_like() -> None:
    odd = b"\r\nRTSP/1.1  200 \x00Fine\nCSeq : 7\nX:\x01 y\rLocation: z\nContent-length: 2\n\nok"
    [message] = split(odd)
    assert isinstance(message, Message)
    [again] = split(message.with_headers(CSeq="9").encoded())
    assert isinstance(again, Message)
    assert (again.header("cseq"), again.header("location"), again.body) == ("9", "", b"ok")
    assert message.encoded().startswith(b"RTSP/1.0 200 Fine\r\nContent-Length: 2\r\nCSeq: 7\r\n")


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"\x16\x03\x01 what TLS begins with\n",
        b"RTSP/1.0 OK\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: 99999999\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nX: " + bytes(70_000),
    ],
)
def test_what_is_no_rtsp_is_refused(said: bytes) -> None:
    with pytest.raises(NotRtspError):
        split(said)


@pytest.mark.parametrize(
    ("said", "status", "uri", "body"),
    [
        (b"RTSP/1.0 200OK\r\n\r\n", 200, "", b""),
        (b"RTSP/1 404\nContent-Length: none\n\n", 404, "", b""),
        (b"RTSP/1.0 200 OK\r\nContent-Length: 2; bytes\r\n\r\nok", 200, "", b"ok"),
        (b"SETUP rtsp://cam/live/track 1 RTSP/1.0\r\n\r\n", 0, "rtsp://cam/live/track 1", b""),
    ],
)
def test_what_cameras_write_in_their_own_way_is_read(
    said: bytes, status: int, uri: str, body: bytes
) -> None:
    [message] = split(said)
    assert isinstance(message, Message)
    assert (message.status, message.uri, message.body) == (status, uri, body)


def test_between_pictures_what_is_neither_packet_nor_message_is_passed_over() -> None:
    items = split(packet(0, b"one"), b"\x00garbage\xff", packet(0, b"two"), b"\xff\xfe", ANSWER)
    assert items[:2] == [packet(0, b"one"), packet(0, b"two")]
    assert isinstance(items[2], Message)
