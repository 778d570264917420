"""Turns what FFmpeg says into what an operator can act on."""

from __future__ import annotations

import errno
import socket
import ssl
from typing import Final

import av

from contract.errors import (
    SourceAuthenticationError,
    SourceCodecError,
    SourceEndedError,
    SourceError,
    SourceHostNotFoundError,
    SourceHungUpError,
    SourceKeyFrameError,
    SourceNotFoundError,
    SourceNoVideoError,
    SourceRedirectError,
    SourceRefusedError,
    SourceRejectedError,
    SourceServerError,
    SourceTimeoutError,
    SourceTooLargeError,
    SourceUndecodableError,
)
from ingest.reach.address import Address
from ingest.reach.overheard import Overheard

MOST_REDIRECTS: Final = 8
"""In a row, over RTSP or HTTP."""

_UNREACHABLE: Final = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}
_BROKEN_OFF: Final = {errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED, errno.EIO}
_TIMED_OUT: Final = {errno.ETIMEDOUT, errno.EAGAIN}
_MEANINGS: Final = {
    453: "too little bandwidth, or too many viewers",
    454: "it forgot the session",
    461: "it offers no way of sending video that can be used here",
    503: "it is overloaded, or still starting",
}


def explain_opening(
    error: Exception,
    address: Address,
    elapsed_s: float,
    limit_s: float,
    overheard: Overheard | None = None,
) -> SourceError:
    """Return the `SourceError` for a failure to open `address` after `elapsed_s` seconds.

    One that is a `SourceError` already stays as it is. What was `overheard` meanwhile comes before
    FFmpeg's error, and the time limit, too: FFmpeg reports a stalled camera as invalid data over
    RTSP (measured with FFmpeg 8.0), as an exit over HTTP.
    """
    if isinstance(error, SourceError):
        return error
    if overheard and (known := _by_ear(overheard, address, elapsed_s)):
        return known
    if elapsed_s >= 0.95 * limit_s:
        return timed_out(address, limit_s)
    return _by_kind(error, address, limit_s) or _by_medium(error, address)


def explain_reading(error: Exception, address: Address, limit_s: float) -> SourceError:
    """Return the `SourceError` for a failure while frames were being read."""
    if isinstance(error, SourceError):
        return error
    if isinstance(error, av.error.EOFError) or _number(error) in _BROKEN_OFF:
        return ended(address)
    if isinstance(error, av.error.InvalidDataError):
        return SourceUndecodableError(
            f"expected more video from {address.shown}, found damaged data; connecting anew. If "
            "this goes on, check cable and network"
        )
    return _by_kind(error, address, limit_s) or SourceError(
        f"expected more video from {address.shown}, found {_words(error)}"
    )


def timed_out(address: Address, limit_s: float) -> SourceTimeoutError:
    return SourceTimeoutError(
        f"expected an answer from {address.shown} within {limit_s:.3g} s, found silence; is the "
        "camera overloaded, or out of free connections? Restart it, or use its second stream"
    )


def hung_up(address: Address) -> SourceHungUpError:
    return SourceHungUpError(
        f"{address.shown} takes the connection and hangs up instead of answering; is this the port "
        "of its video? If it is, restart the camera, or close other viewers"
    )


def redirected(address: Address) -> SourceRedirectError:
    return SourceRedirectError(
        f"{address.shown} sends its viewers on, more than {MOST_REDIRECTS} times over; copy the "
        "stream's own address from the camera's manual"
    )


def leads_nowhere(address: Address, kind: str = "RTSP") -> SourceRedirectError:
    return SourceRedirectError(
        f"{address.shown} sends its viewers on to what is no {kind} address; copy the stream's own "
        "address from the camera's manual"
    )


def behind_redirect(error: SourceError, first: Address, last: Address) -> SourceError:
    """Return the error of what a camera at `first` sent its viewers on to, and say so."""
    words = f"{first.shown} sends its viewers on, and {error}"
    if isinstance(error, SourceAuthenticationError) and any(first.login) and not any(last.login):
        words += (
            "; they are not passed on to another host: take that address as the camera's, with "
            "user and password"
        )
    return type(error)(words)


def silent_over_udp(address: Address, limit_s: float) -> SourceTimeoutError:
    return SourceTimeoutError(
        f"expected video from {address.shown} within {limit_s:.3g} s, found silence; the camera "
        "refuses to send it over TCP, and what it sends over UDP does not arrive: set it to TCP, "
        "or let UDP from its address to this machine through the firewall"
    )


def no_key_frame(address: Address, waited_s: float) -> SourceKeyFrameError:
    return SourceKeyFrameError(
        f"{address.shown} has sent no key frame for {waited_s:.0f} s, and no picture can be "
        "decoded without; set the camera's key-frame (I-frame) interval to 1 or 2 s"
    )


def undecodable(address: Address, seconds: float) -> SourceUndecodableError:
    return SourceUndecodableError(
        f"what {address.shown} sends could not be decoded for {seconds:.0f} s: broken on its way, "
        "or another codec than announced; connecting anew. If this goes on, check cable and "
        "network, and set the camera to H.264"
    )


def ended(address: Address) -> SourceEndedError:
    return SourceEndedError(f"{address.shown} closed the stream; trying again")


def no_video(address: Address, found: str) -> SourceNoVideoError:
    hint = (
        "copy the stream's own address from the camera's manual"
        if address.kind in ("rtsp", "http")
        else "check that it plays in a video player"
    )
    return SourceNoVideoError(f"expected video at {address.shown}, found {found}; {hint}")


def too_large(shown: str) -> SourceTooLargeError:
    """`shown`: what people know the source by."""
    return SourceTooLargeError(
        f"decoding what {shown} sends takes more memory than a reader may have; set a smaller "
        "picture at the camera, use its second stream, or raise MASKWATCH_READER_MEMORY_MB"
    )


def unsupported_codec(address: Address, codec: str) -> SourceCodecError:
    return SourceCodecError(
        f"{address.shown} sends video as {codec or 'an unknown codec'}, which cannot be decoded "
        "here; set the camera to H.264"
    )


def _by_ear(heard: Overheard, address: Address, elapsed_s: float) -> SourceError | None:
    if heard.status:
        return answered_with(heard.status, address, heard.method)
    if heard.silent:
        return timed_out(address, elapsed_s)
    return hung_up(address) if heard.hung_up else None


def answered_with(status: int, address: Address, method: str = "") -> SourceError:
    """Return the error of an address that answers with a status (of RTSP or HTTP).

    method: what was asked for over RTSP.
    """
    shown = address.shown
    if status in (401, 403, 407):
        return _refused_login(address)
    if status in (404, 410):
        return _no_such_stream(address)
    asked = f" {method}" if method else ""
    meaning = f" ({_MEANINGS[status]})" if status in _MEANINGS else ""
    answer = f"{shown} answers{asked} with error {status}{meaning}"
    if status >= 500:
        return SourceServerError(f"{answer}; trying again. If this goes on, restart the camera")
    return SourceRejectedError(
        f"{answer}; trying again. If this goes on, close other viewers, and check the path"
    )


def _refused_login(address: Address) -> SourceAuthenticationError:
    return SourceAuthenticationError(
        f"{address.shown} refuses the user name or password; correct them (they are case-sensitive)"
    )


def _no_such_stream(address: Address) -> SourceNotFoundError:
    return SourceNotFoundError(
        f"{address.host} answers but has no such stream ({address.shown}); check the path"
    )


def _by_kind(error: Exception, address: Address, limit_s: float) -> SourceError | None:
    shown = address.shown
    number = _number(error)
    if isinstance(error, av.error.ExitError | TimeoutError) or number in _TIMED_OUT:
        return timed_out(address, limit_s)
    if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
        return _refused_login(address)
    if isinstance(error, av.error.HTTPNotFoundError):
        return _no_such_stream(address)
    if isinstance(error, av.error.HTTPServerError):
        return SourceServerError(f"expected a stream from {shown}, found {_words(error)}")
    if isinstance(error, av.error.HTTPError | av.error.HTTPClientError):
        return SourceRejectedError(f"expected a stream from {shown}, found {_words(error)}")
    if isinstance(error, av.error.DecoderNotFoundError):
        return unsupported_codec(address, "")
    if isinstance(error, MemoryError):
        return too_large(shown)
    if number == errno.ECONNREFUSED:
        return SourceRefusedError(
            f"{address.host} is there, but nothing listens on port {address.port}; check the port"
        )
    if number in _UNREACHABLE:
        return SourceHostNotFoundError(f"no route to {address.host}; check address and network")
    return None


def _by_medium(error: Exception, address: Address) -> SourceError:
    if address.kind in ("file", "webcam"):
        return _local(error, address)
    if isinstance(error, ssl.SSLError):
        return no_video(address, "something that speaks no TLS (try rtsp:// instead of rtsps://)")
    # FFmpeg gives a failed look-up and a page that ended early the same number (EIO).
    if _number(error) == errno.EIO and not _resolves(address.host):
        return SourceHostNotFoundError(
            f"the host name {address.host} is unknown here; check its spelling, or use its IP"
        )
    if _number(error) in _BROKEN_OFF and address.kind == "rtsp":
        return SourceNoVideoError(
            f"expected RTSP at {address.shown}, found something that hangs up; check the port"
        )
    return no_video(address, "something else (a web page?)")


def _local(error: Exception, address: Address) -> SourceError:
    number = _number(error)
    thing = "webcam" if address.kind == "webcam" else "file"
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return SourceNotFoundError(f"there is no {thing} {address.shown} on the ingest machine")
    if number in (errno.EACCES, errno.EPERM):
        return SourceError(f"no permission to read {address.shown}; let ingest's user read it")
    if number == errno.EBUSY:
        return SourceError(f"{address.shown} is in use by another program; close that first")
    return no_video(address, "a broken, truncated or different kind of file")


def _resolves(host: str) -> bool:
    try:
        return bool(socket.getaddrinfo(host, None))
    except (OSError, UnicodeError):
        return False


def _number(error: Exception) -> int | None:
    return error.errno if isinstance(error, av.error.FFmpegError | OSError) else None


def _words(error: Exception) -> str:
    return (getattr(error, "strerror", None) or type(error).__name__).lower()
