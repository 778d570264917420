"""Sources as operators paste them."""

from __future__ import annotations

import pytest

from ingest.reach.address import parse_source


@pytest.mark.parametrize(
    ("source", "url"),
    [
        ("rtsp://10.0.0.9/live", "rtsp://10.0.0.9/live"),
        ("RTSP://10.0.0.9:8554/live?ch=1", "rtsp://10.0.0.9:8554/live?ch=1"),
        ("rtsp://admin:secret@cam/live", "rtsp://admin:secret@cam/live"),
        ("rtsp://admin:p@ss@cam/live", "rtsp://admin:p%40ss@cam/live"),
        ("rtsp://a:p@s:/s#?%w@10.0.0.9:554/x", "rtsp://a:p%40s%3A%2Fs%23%3F%25w@10.0.0.9:554/x"),
        ("rtsp://a:p/w@10.0.0.9/live/1", "rtsp://a:p%2Fw@10.0.0.9/live/1"),
        ("rtsp://a:p%40ss@cam/live", "rtsp://a:p%40ss@cam/live"),
        ("rtsp://a:50%@cam/live", "rtsp://a:50%25@cam/live"),
        ("rtsp://a:ä ö@cam/live", "rtsp://a:%C3%A4%20%C3%B6@cam/live"),
        ("rtsp://a:@cam/live", "rtsp://a:@cam/live"),
        ("rtsp://10.0.0.9/live@2", "rtsp://10.0.0.9/live@2"),
        ("rtsp://a:b@10.0.0.9/live@2", "rtsp://a:b@10.0.0.9/live@2"),
        ("rtsp://a:b@[fe80::1]:554/x", "rtsp://a:b@[fe80::1]:554/x"),
        ("http://cam.local/a b.m3u8", "http://cam.local/a%20b.m3u8"),
    ],
)
def test_a_pasted_url_reaches_ffmpeg_with_its_password_encoded(source: str, url: str) -> None:
    assert parse_source(source).url == url


@pytest.mark.parametrize(
    ("source", "host", "port"),
    [
        ("rtsp://a:b@cam/live", "cam", 554),
        ("rtsps://cam:8322/live", "cam", 8322),
        ("https://cam/x", "cam", 443),
        ("rtsp://a:p@1:2/x@[fe80::1]:99/x", "fe80::1", 99),
    ],
)
def test_host_and_port_are_found_for_error_messages(source: str, host: str, port: int) -> None:
    address = parse_source(source)
    assert (address.host, address.port) == (host, port)


@pytest.mark.parametrize(
    ("source", "kind", "url"),
    [
        ("0", "webcam", "/dev/video0"),
        ("/dev/video12", "webcam", "/dev/video12"),
        ("clips/a.mp4", "file", "clips/a.mp4"),
        ("demo:seed=7", "demo", "demo:seed=7"),
    ],
)
def test_local_sources_are_told_apart(source: str, kind: str, url: str) -> None:
    address = parse_source(source)
    assert (address.kind, address.url) == (kind, url)


def test_what_people_see_holds_no_password() -> None:
    assert "s3cret" not in parse_source("rtsp://u:s3cret@w/@cam/x?pwd=s3cret").shown


@pytest.mark.parametrize(
    ("source", "host"),
    [
        ("rtsp://user:secret@2852039166:554/live", "2852039166"),
        ("rtsp://user:secret@/live", ""),
        ("http://user:se@cret@0xa9fea9fe/", "0xa9fea9fe"),
    ],
)
def test_a_password_never_becomes_part_of_the_hosts_name(source: str, host: str) -> None:
    address = parse_source(source)
    assert address.host == host
    assert "secret" not in address.shown
    assert "se@cret" not in address.shown
