"""Opens a source with FFmpeg: transports, time-outs, and what it may reach for."""

from __future__ import annotations

import time
from typing import Any, Final

import av
import av.container

from contract.settings import Settings
from ingest.address import Address, SourceKind
from ingest.source_errors import explain_opening

# A playlist fetched from a camera must not make FFmpeg read local files or run protocols that
# nobody asked for (Frigate CVE-2026-25643): each kind of source gets only what it needs.
PROTOCOLS: Final[dict[SourceKind, str]] = {
    "rtsp": "rtsp,rtsps,rtp,tcp,tls",
    "http": "http,https,httpproxy,tcp,tls,crypto",
    "file": "file",
    "webcam": "file",
}
FORMATS: Final = (
    "mpjpeg,mjpeg,jpeg_pipe,hls,mpegts,mpeg,mov,mp4,matroska,webm,flv,avi,asf,ogg,h264,hevc,m4v"
)


def open_container(address: Address, settings: Settings) -> av.container.InputContainer:
    """Open `address`; return when its streams are known.

    Raises:
        SourceError: of the kind that fits, in words for an operator.
    """
    started_s = time.monotonic()
    try:
        return av.open(
            address.url,
            format="v4l2" if address.kind == "webcam" else None,
            options=ffmpeg_options(address, settings),
            timeout=(settings.open_timeout_s, settings.read_timeout_s),
        )
    except (av.error.FFmpegError, OSError, ValueError) as error:
        elapsed_s = time.monotonic() - started_s
        # Not chained: FFmpeg's own error carries the URL with its password.
        raise explain_opening(error, address, elapsed_s, settings.open_timeout_s) from None


def ffmpeg_options(address: Address, settings: Settings) -> dict[str, str]:
    """Return the options for `address`. FFmpeg wants times in microseconds."""
    options: dict[str, Any] = {"protocol_whitelist": PROTOCOLS[address.kind]}
    read_us = str(int(settings.read_timeout_s * 1e6))
    if address.kind == "rtsp":
        # UDP loses packets behind most switches and smears the picture (opencv#27091).
        options |= {"rtsp_transport": "tcp", "timeout": read_us, "fflags": "nobuffer"}
        options |= {"allowed_media_types": "video"}
    if address.kind == "http":
        options |= {"rw_timeout": read_us, "format_whitelist": FORMATS}
    if address.kind == "file":
        options |= {"format_whitelist": FORMATS}
    return options
