"""HLS playlists as text."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.web.client import ByteRange
from ingest.web.playlist import MOST_LINE_CHARS, Key, Part, parse_playlist

MASTER = b"""#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=1280000,CODECS="avc1.4d001f,mp4a.40.2",RESOLUTION=640x360
low.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=99,URI="frames.m3u8"

#EXT-X-STREAM-INF:RESOLUTION=1920x1080,BANDWIDTH=x
http://b.example/high.m3u8?a=1,2
"""
MEDIA = b"""\xef\xbb\xbf#EXTM3U\r
#EXT-X-TARGETDURATION:4\r
#EXT-X-MEDIA-SEQUENCE:41\r
#EXT-X-MAP:URI="head.mp4",BYTERANGE="600@0"\r
#EXTINF:3.9,with a title, and more\r
#EXT-X-BYTERANGE:1000@600\r
all.mp4\r
#EXT-X-KEY:METHOD=AES-128,URI="https://k.example/?a,b",IV=0x00ff\r
#EXTINF:4\r
#EXT-X-BYTERANGE:500\r
all.mp4\r
#EXT-X-KEY:METHOD=NONE\r
#EXTINF:4\r
other.mp4\r
not after a segment's tag.mp4\r
#EXT-X-ENDLIST"""


def test_a_master_playlist_names_the_same_scene_in_several_sizes() -> None:
    read = parse_playlist(MASTER)
    assert [(one.uri, one.width, one.bits_s) for one in read.variants] == [
        ("low.m3u8", 640, 1280000),
        ("http://b.example/high.m3u8?a=1,2", 1920, 0),
    ]
    assert read.segments == ()


def test_a_media_playlist_names_segments_and_what_each_needs() -> None:
    read = parse_playlist(MEDIA)
    key = Key("AES-128", "https://k.example/?a,b", b"\0" * 14 + b"\0\xff")
    header = Part("head.mp4", ByteRange(0, 600))
    assert [(one.number, one.part, one.header) for one in read.segments] == [
        (41, Part("all.mp4", ByteRange(600, 1000)), header),
        (42, Part("all.mp4", ByteRange(1600, 500), key), header),
        (43, Part("other.mp4"), header),
    ]
    assert (read.target_s, read.ended) == (4.0, True)


@pytest.mark.parametrize("body", [b"", b"#EXTM3", b"<MPD>", b"#EXTM3U\n" + b"a" * 9000])
def test_what_is_no_playlist_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="playlist"):
        parse_playlist(body)


@given(st.lists(st.sampled_from([*MASTER.split(b"\n"), *MEDIA.split(b"\n"), b'#"=,":', b"\xff"])))
def test_whatever_follows_the_first_line_is_read_or_passed_over(lines: list[bytes]) -> None:
    read = parse_playlist(b"\n".join([b"#EXTM3U", *lines]))
    numbers = [one.number for one in read.segments]
    assert all(number >= 0 for number in numbers)


REPEATED = (
    "#EXTINF:1,\na\n",
    '#EXT-X-KEY:METHOD=AES-128,URI="{n}"\n#EXTINF:1,\na{n}\n',
    '#EXT-X-MAP:URI="{n}"\n#EXTINF:1,\na{n}\n',
    "#EXT-X-BYTERANGE:1\n#EXTINF:1,\na\n",
    "#EXT-X-STREAM-INF:BANDWIDTH={n}\na\n",
    "#EXT-X-DEFINE:NAME=a,VALUE=b\n{$a}\n",
)
IN_A_LINE = ('a="', "a=", ",", '"', "=", "a=b,", "A", 'a="b",', "1", "\u0661")


@pytest.mark.parametrize("repeated", REPEATED)
def test_reading_many_lines_takes_linear_time(repeated: str) -> None:
    assert growth(lambda n: "".join(repeated.replace("{n}", str(i)) for i in range(n)), 2000) < 8


@pytest.mark.parametrize("tag", ["#EXT-X-KEY:", "#EXT-X-STREAM-INF:", "#EXT-X-MEDIA-SEQUENCE:"])
@pytest.mark.parametrize("repeated", IN_A_LINE)
def test_reading_a_line_takes_linear_time(tag: str, repeated: str) -> None:
    longest = MOST_LINE_CHARS - len(tag)

    def text(n: int) -> str:
        return f"{tag}{(repeated * n)[:longest]}\n" * 20

    assert growth(text, longest // len(repeated) // 4) < 8


def growth(text: object, n: int) -> float:
    """How many times more processor time four times the text takes, at best of three."""
    return least_s(text(4 * n)) / max(least_s(text(n)), 1e-4)  # type: ignore[operator]


def least_s(text: str) -> float:
    body, taken = b"#EXTM3U\n" + text.encode(), []
    for _ in range(3):
        began_s = time.process_time()
        parse_playlist(body)
        taken.append(time.process_time() - began_s)
    return min(taken)
