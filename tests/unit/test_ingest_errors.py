"""What FFmpeg says, and what people read."""

from __future__ import annotations

import errno
import socket

import av
import pytest

from contract.errors import SourceNotFoundError
from ingest.demo.options import DemoOptions, parse_demo
from ingest.reach.address import parse_source
from ingest.reach.errors import explain_opening, explain_reading
from ingest.sources.opening import ffmpeg_options
from runtime.settings import load_settings

CAMERA = "rtsp://admin:s3cret@10.0.0.9:8554/live"


def ffmpeg_error(kind: type[av.error.FFmpegError], number: int = 0) -> Exception:
    return kind(number, "words", "rtsp://admin:s3cret@10.0.0.9:8554/live")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ffmpeg_error(av.error.ConnectionRefusedError, errno.ECONNREFUSED), "refused"),
        (ffmpeg_error(av.error.HTTPUnauthorizedError), "authentication"),
        (ffmpeg_error(av.error.HTTPForbiddenError), "authentication"),
        (ffmpeg_error(av.error.HTTPNotFoundError), "not_found"),
        (ffmpeg_error(av.error.HTTPServerError), "server_error"),
        (ffmpeg_error(av.error.HTTPOtherClientError), "rejected"),
        (ffmpeg_error(av.error.ExitError), "timeout"),
        (ffmpeg_error(av.error.TimeoutError, errno.ETIMEDOUT), "timeout"),
        (ffmpeg_error(av.error.DecoderNotFoundError), "unsupported_codec"),
        (ffmpeg_error(av.error.InvalidDataError), "no_video"),
        (ffmpeg_error(av.error.OSError, errno.EHOSTUNREACH), "host_not_found"),
    ],
)
def test_a_failure_to_open_has_a_kind_and_no_password(error: Exception, kind: str) -> None:
    explained = explain_opening(error, parse_source(CAMERA), 0.1, 10.0)
    assert explained.kind == kind
    assert "s3cret" not in str(explained)


def test_whatever_takes_the_whole_time_limit_is_a_timeout() -> None:
    error = ffmpeg_error(av.error.InvalidDataError)
    assert explain_opening(error, parse_source(CAMERA), 9.99, 10.0).kind == "timeout"


def test_a_name_that_resolves_nowhere_is_told_from_a_hang_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(*_: object) -> None:
        raise socket.gaierror

    error = ffmpeg_error(av.error.OSError, errno.EIO)
    assert explain_opening(error, parse_source(CAMERA), 0.1, 10.0).kind == "no_video"
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert explain_opening(error, parse_source(CAMERA), 0.1, 10.0).kind == "host_not_found"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ffmpeg_error(av.error.EOFError), "ended"),
        (ffmpeg_error(av.error.ConnectionResetError, errno.ECONNRESET), "ended"),
        (ffmpeg_error(av.error.ExitError), "timeout"),
        (ffmpeg_error(av.error.UnknownError), "error"),
    ],
)
def test_a_failure_while_reading_has_a_kind_and_no_password(error: Exception, kind: str) -> None:
    explained = explain_reading(error, parse_source(CAMERA), 5.0)
    assert explained.kind == kind
    assert "s3cret" not in str(explained)


@pytest.mark.parametrize("source", [CAMERA, "http://cam/list.m3u8", "rtsps://cam/x"])
def test_a_network_source_can_reach_no_local_file(source: str) -> None:
    options = ffmpeg_options(parse_source(source), load_settings({}))
    allowed = set(options["protocol_whitelist"].split(","))
    assert not allowed & {"file", "pipe", "concat", "subfile", "data", "async", "cache"}


def test_rtsp_goes_over_tcp_with_a_time_limit() -> None:
    options = ffmpeg_options(parse_source(CAMERA), load_settings({}, read_timeout_s=3))
    assert (options["rtsp_transport"], options["timeout"]) == ("tcp", "3000000")


def test_demo_options_are_read_and_unknown_ones_named() -> None:
    assert parse_demo("demo:") == DemoOptions()
    assert parse_demo("demo:seed=7&fps=15&people=2.5&width=640") == DemoOptions(7, 15.0, 2.5, 640)
    for wrong in ("demo:sed=1", "demo:seed=x", "demo:fps=1000"):
        with pytest.raises(SourceNotFoundError, match="seed 0 to"):
            parse_demo(wrong)
