"""Turns FFmpeg's errors into messages that an operator can act on."""

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
"""Most redirects in a row that we follow, over RTSP or HTTP."""

_UNREACHABLE: Final = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}
_BROKEN_OFF: Final = {errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED, errno.EIO}
_TIMED_OUT: Final = {errno.ETIMEDOUT, errno.EAGAIN}
_MEANINGS: Final = {
    453: "too little bandwidth, or too many viewers",
    454: "the session expired",
    461: "the camera offers no transport that Maskwatch supports",
    503: "the camera is overloaded or still starting",
}


def explain_opening(
    error: Exception,
    address: Address,
    elapsed_s: float,
    limit_s: float,
    overheard: Overheard | None = None,
) -> SourceError:
    """Return the `SourceError` for a failure to open `address` after `elapsed_s` seconds.

    Return a `SourceError` unchanged. Prefer what `overheard` noted, then the time limit, to the
    error of FFmpeg: it reports a stalled camera as invalid data over RTSP (measured with FFmpeg
    8.0), and as an exit over HTTP.
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
            f"expected more video from {address.shown}, found damaged data; reconnecting. If this "
            "continues, check the cable and the network"
        )
    return _by_kind(error, address, limit_s) or SourceError(
        f"expected more video from {address.shown}, found {_words(error)}"
    )


def timed_out(address: Address, limit_s: float) -> SourceTimeoutError:
    return SourceTimeoutError(
        f"expected an answer from {address.shown} within {limit_s:.3g} s, found none; the "
        "camera may be overloaded or out of connections: restart it, or use its second stream"
    )


def hung_up(address: Address) -> SourceHungUpError:
    return SourceHungUpError(
        f"{address.shown} accepts the connection and closes it without answering; check that this "
        "is the camera's video port. If it is, restart the camera, or close other viewers"
    )


def redirected(address: Address) -> SourceRedirectError:
    return SourceRedirectError(
        f"{address.shown} redirects more than {MOST_REDIRECTS} times in a row; copy the stream's "
        "own address from the camera's manual"
    )


def leads_nowhere(address: Address, kind: str = "RTSP") -> SourceRedirectError:
    return SourceRedirectError(
        f"{address.shown} redirects to something that is not an {kind} address; copy the stream's "
        "own address from the camera's manual"
    )


def behind_redirect(error: SourceError, first: Address, last: Address) -> SourceError:
    """Return `error` of the address `last`, and say that `first` redirects there."""
    words = f"{first.shown} redirects, and {error}"
    if isinstance(error, SourceAuthenticationError) and any(first.login) and not any(last.login):
        words += (
            "; Maskwatch does not pass them on to another host: use that address as the camera's "
            "source, with user and password"
        )
    return type(error)(words)


def silent_over_udp(address: Address, limit_s: float) -> SourceTimeoutError:
    return SourceTimeoutError(
        f"expected video from {address.shown} within {limit_s:.3g} s, found none; the camera "
        "refuses TCP, and its UDP packets do not arrive: set the camera to TCP, or allow UDP from "
        "its address to this machine in the firewall"
    )


def no_key_frame(address: Address, waited_s: float) -> SourceKeyFrameError:
    return SourceKeyFrameError(
        f"{address.shown} has sent no key frame for {waited_s:.0f} s, and decoding cannot start "
        "without one; set the camera's key-frame (I-frame) interval to 1 or 2 s"
    )


def undecodable(address: Address, seconds: float) -> SourceUndecodableError:
    return SourceUndecodableError(
        f"the video from {address.shown} could not be decoded for {seconds:.0f} s: it is damaged "
        "in transit, or its codec is not the announced one; reconnecting. If this continues, check "
        "the cable and the network, and set the camera to H.264"
    )


def ended(address: Address) -> SourceEndedError:
    return SourceEndedError(f"{address.shown} closed the stream; reconnecting")


def no_video(address: Address, found: str) -> SourceNoVideoError:
    hint = (
        "copy the stream's own address from the camera's manual"
        if address.kind in ("rtsp", "http")
        else "check that it plays in a video player"
    )
    return SourceNoVideoError(f"expected video at {address.shown}, found {found}; {hint}")


def no_such_stream(address: Address, number: int, there: int) -> SourceNoVideoError:
    videos = "1 video" if there == 1 else f"{there} videos"
    return SourceNoVideoError(
        f"expected video {number} at {address.shown}, found {videos}; choose another, or 0 for the "
        "best"
    )


def too_large(shown: str) -> SourceTooLargeError:
    """`shown`: the source as users see it."""
    return SourceTooLargeError(
        f"decoding the video from {shown} takes more memory than a reader may use; set a smaller "
        "resolution in the camera, use its second stream, or raise MASKWATCH_READER_MEMORY_MB"
    )


def unsupported_codec(address: Address, codec: str) -> SourceCodecError:
    return SourceCodecError(
        f"{address.shown} sends video as {codec or 'an unknown codec'}, which Maskwatch cannot "
        "decode; set the camera to H.264"
    )


def _by_ear(heard: Overheard, address: Address, elapsed_s: float) -> SourceError | None:
    if heard.status:
        return answered_with(heard.status, address, heard.method)
    if heard.silent:
        return timed_out(address, elapsed_s)
    return hung_up(address) if heard.hung_up else None


def answered_with(status: int, address: Address, method: str = "") -> SourceError:
    """Return the error of an address that answers with a status (of RTSP or HTTP).

    method: the RTSP request's method.
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
        return SourceServerError(f"{answer}; reconnecting. If this continues, restart the camera")
    return SourceRejectedError(
        f"{answer}; reconnecting. If this continues, close other viewers, and check the path"
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
            f"{address.host} answers, but no service listens on port {address.port}; check the port"
        )
    if number in _UNREACHABLE:
        return SourceHostNotFoundError(
            f"no route to {address.host}; check the address and the network"
        )
    return None


def _by_medium(error: Exception, address: Address) -> SourceError:
    if address.kind in ("file", "webcam"):
        return _local(error, address)
    if isinstance(error, ssl.SSLError):
        return no_video(address, "a service without TLS (try rtsp:// instead of rtsps://)")
    # FFmpeg reports a failed look-up and a page that ended early with the same number (EIO).
    if _number(error) == errno.EIO and not _resolves(address.host):
        return SourceHostNotFoundError(
            f"the host name {address.host} is unknown; check its spelling, or use the IP address"
        )
    if _number(error) in _BROKEN_OFF and address.kind == "rtsp":
        return SourceNoVideoError(
            f"expected RTSP at {address.shown}, found a service that hangs up; check the port"
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
        return SourceError(f"{address.shown} is in use by another program; close it first")
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
