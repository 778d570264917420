"""The parts of a network address that users may see: the shown address, or its host only.

Cameras put passwords anywhere: before an `@`, into a query (`?pw=X`), into the path
(`/user=admin_password=X_channel=1`), or make a token the path. So we do not search for secrets. We
show only parts that are known to be harmless: the scheme, the host, the port, and the words below,
which name streams in makers' manuals (docs/adr/0034). The rest becomes `***`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from contract.cameras.file_sources import lacks_scheme

HIDDEN: Final = "***"
SEPARATOR: Final = "://"
REMEMBERED: Final = 4096
"""Number of addresses whose shown form is cached, because lists of cameras need it again."""

LONGEST_ADDRESS: Final = 2000
"""Most characters of a camera's address, checked before parsing it."""

_STREAM_WORDS: Final = """
a api audio av avc axis b c cam camera cameras cgi channel channels ch cif codec col d default
encoder feed fps front gate h hall hevc high hls hd html http i image img index input isapi jpeg
jpg k l left live lobby low m main media mjpeg mjpg mobile mode mov mp mpeg mpegts multicast n
number o onvif out p pic picture playlist preview primary profile profiles psia q quality r rate
raw rear resolution right rtp rtpstream rtsp s sd sdp sec secondary snapshot source sources stream
streaming streams sub subtype t tcp third track trackid ts type u udp unicast v vga vid video
videodevice videomain videos videosub view w web webcam x y z zone
"""
_OTHER_NAMES: Final = """
auth key login name pass passwd password pw pwd session sig token user username usr
"""
PLAIN_WORDS: Final = frozenset(_STREAM_WORDS.split())
"""Words of stream paths: ONVIF, Hikvision, Dahua, Axis, Bosch, Hanwha, Foscam, Reolink, Vivotek."""
PARAMETER_NAMES: Final = PLAIN_WORDS | frozenset(_OTHER_NAMES.split())
LONGEST_PART: Final = 24
MOST_DIGITS: Final = 4
"""Most digits shown in a part of a path: `Channels/3201` is a stream, a longer number may be a
code."""

_PIECE: Final = re.compile(r"([A-Za-z]*+)([0-9]*+)\Z")
_BETWEEN_PIECES: Final = re.compile(r"[._-]")
_AUTHORITY: Final = re.compile(r"(\[[0-9a-fA-F:.%]{2,80}\]|[\w.-]{1,253})(:[0-9]{1,5})?\Z")
_END_OF_AUTHORITY: Final = re.compile(r"[/?#]")
_PARAMETER: Final = re.compile(r"([?&])")


@lru_cache(REMEMBERED)
def shown_address(address: str) -> str:
    """Return `address` as accounts that may change the camera see it.

    An address without hidden parts is returned unchanged, and so is one that is already redacted.

    >>> shown_address("rtsp://admin:p@ss/w@10.0.0.9/live")
    'rtsp://***@10.0.0.9/live'
    >>> shown_address("http://10.0.0.9:8080/user=admin_password=X/ch1?pw=X&sid=5")
    'http://10.0.0.9:8080/***/ch1?pw=***&***'
    """
    scheme, separator, rest = address.partition(SEPARATOR)
    if not separator:
        return HIDDEN if lacks_scheme(address) else address
    return scheme + separator + _shown_rest(rest)


@lru_cache(REMEMBERED)
def host_of(address: str) -> str:
    """Return scheme and host of `address`, with `/***` for the rest, as viewers see it.

    >>> host_of("rtsp://admin:p@ss/w@10.0.0.9:554/live")
    'rtsp://10.0.0.9/***'
    """
    scheme, separator, rest = address.partition(SEPARATOR)
    if not separator:
        return HIDDEN if lacks_scheme(address) else address
    return scheme + separator + _host_alone(rest)


def _shown_rest(rest: str) -> str:
    """Return the part after `://` as users may see it."""
    login, authority, location, ambiguous = _split(rest)
    if authority is None:
        return HIDDEN
    if ambiguous:  # `user/pass@host` or `host/pa@th`: an apparent port may be a password
        return f"{_without_port(authority)}/{HIDDEN}"
    if location.startswith("#"):
        location = f"/{location}"
    path, *parameters = _PARAMETER.split(location)
    shown = "/".join(map(_shown_part, path.split("/")))
    shown += "".join(map(_shown_parameter, parameters))
    return f"{HIDDEN}@{authority}{shown}" if login else authority + shown


def _host_alone(rest: str) -> str:
    _, authority, _, _ = _split(rest)
    if authority is None:
        return HIDDEN
    host = _without_port(authority)
    return host if rest in (host, f"{host}/") else f"{host}/{HIDDEN}"


def _split(rest: str) -> tuple[bool, str | None, str, bool]:
    """Return whether there is a login, the host with port, the rest, and whether that is ambiguous.

    The host is None if there is none. The split is ambiguous if an `@` in the rest may end the
    login.
    """
    authority, location = _authority(rest)
    if "@" not in rest:
        return False, authority, location, False
    if _is_dotted(authority):
        return False, authority, location, True
    last_at, near_at = rest.rfind("@"), _END_OF_AUTHORITY.split(rest, maxsplit=1)[0].rfind("@")
    last, after_last = _authority(rest[last_at + 1 :])
    if near_at == last_at or _is_dotted(last) or (near_at < 0 and authority is None):
        return True, last, after_last, False
    near, after_near = _authority(rest[near_at + 1 :])
    # Neither is certainly a host, so both may be part of a password or of a path.
    return True, near if near_at >= 0 and _is_dotted(near) else None, after_near, True


def _is_dotted(authority: str | None) -> bool:
    """Whether this is certainly a host, not part of a password or of a path."""
    return authority is not None and ("." in authority or authority.startswith(("[", "localhost")))


def _without_port(authority: str) -> str:
    match = _AUTHORITY.match(authority)
    return match[1] if match else HIDDEN


def _authority(rest: str) -> tuple[str | None, str]:
    end = _END_OF_AUTHORITY.search(rest)
    authority = rest[: end.start()] if end else rest
    known = authority == HIDDEN or _AUTHORITY.match(authority)
    return authority if known else None, rest[len(authority) :]


def _shown_part(part: str) -> str:
    return part if is_plain(part) else HIDDEN


def _shown_parameter(parameter: str) -> str:
    """Return a parameter of a query, or its separator, as users may see it."""
    name, equals, _ = parameter.partition("=")
    if not equals:
        return parameter if parameter in "?&" else _shown_part(parameter)
    return f"{name}={HIDDEN}" if name.lower() in PARAMETER_NAMES else HIDDEN


def is_plain(part: str) -> bool:
    """Whether a part of a path consists of words that name streams, and of short numbers.

    >>> [is_plain(part) for part in ("Channels", "h264", "101", "axis-media", "s3cret", "pw=1")]
    [True, True, True, True, False, False]
    """
    if not part:
        return True
    if len(part) > LONGEST_PART or sum(map(str.isdigit, part)) > MOST_DIGITS:
        return False
    pieces = [_PIECE.match(piece) for piece in _BETWEEN_PIECES.split(part)]
    return all(piece and (not piece[1] or piece[1].lower() in PLAIN_WORDS) for piece in pieces)
