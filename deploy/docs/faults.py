"""Makes the page of fault kinds: the meaning of each kind, and advice."""

from __future__ import annotations

from typing import Final

from bus.connection.trouble import TITLES, WORDS
from contract.cameras.status import FAULT_KINDS, NOTICES
from deploy.docs.markdown import code, page, table

ADVICE: Final = {
    "authentication": (
        "The camera refuses the user name or password.",
        "Correct them. A refused password is tried rarely, because cameras lock accounts.",
    ),
    "ended": (
        "The camera closed a stream that was running.",
        "Ignore it if it happens once. If it happens every few seconds, close other viewers.",
    ),
    "error": (
        "The source failed in a way that has no kind of its own.",
        "Read the message beside the kind.",
    ),
    "forbidden": (
        "This system's settings do not allow the address or file.",
        "Choose an allowed address, or change the `MASKWATCH_SOURCE_*` settings.",
    ),
    "host_not_found": (
        "The host name is unknown, or there is no route to the host.",
        "Check the spelling, the network, the VPN and the firewall.",
    ),
    "hung_up": (
        "The camera closes the connection instead of answering.",
        "Check the port, and close other viewers.",
    ),
    "no_key_frame": (
        "Pictures arrive, but decoding cannot start at any of them.",
        "Set the camera's key-frame (I-frame) interval to 1 or 2 s.",
    ),
    "no_video": (
        "The address leads to a web page, or to sound without pictures.",
        "Look up the stream's address in the camera's manual.",
    ),
    "not_found": (
        "The stream, file or device does not exist.",
        "Check the path.",
    ),
    "redirect": (
        "The camera redirects its viewers in a circle, or to something that is not RTSP.",
        "Look up the stream's own address in the camera's manual.",
    ),
    "refused": (
        "Nothing listens on the port.",
        "Check the port. RTSP usually uses 554.",
    ),
    "rejected": (
        "The camera answers with another 4xx error: the session was lost, or too many watch.",
        "Close other viewers, and check the path.",
    ),
    "secret_key": (
        "The address is encrypted, and this process lacks the key.",
        "Bring the key file back, or type the address again.",
    ),
    "server_error": (
        "The camera answers with a 5xx error.",
        "Wait, or restart the camera.",
    ),
    "timeout": (
        "The camera is silent, either while connecting or with the stream open.",
        "Check the camera's load and the network. Try its second stream. Over UDP, let the stream "
        "through the firewall.",
    ),
    "too_large": (
        "Decoding the stream needs more memory than a reader may use.",
        "Use a smaller stream, or raise `MASKWATCH_READER_MEMORY_MB`.",
    ),
    "undecodable": (
        "The video was damaged on the way, or its codec is not the announced one.",
        "Check the cable and the network. Set the camera to H.264.",
    ),
    "unsupported_codec": (
        "Maskwatch cannot decode this codec.",
        "Set the camera to H.264 or H.265.",
    ),
    "no_ingest": (
        "No ingest process runs the camera.",
        "Start one: `maskwatch ingest`.",
    ),
    "unreadable": (
        "The camera's state in Redis cannot be read, so nobody knows whether it is offline.",
        "Stop processes of another version. Otherwise wait: ingest writes the state again.",
    ),
    "corrupt": (
        "Some pictures are broken.",
        "Check the cable, the switch, the Wi-Fi and the bit rate.",
    ),
    "clock": (
        "The camera's timestamps jump. Maskwatch uses the time of arrival instead.",
        "Check the camera's time server.",
    ),
    "slow": (
        "Fewer pictures arrive than the camera declares or than are analysed, or fewer than 3 a "
        "second.",
        "Set the camera's frame rate.",
    ),
    "fast": (
        "More than 60 pictures a second arrive.",
        "Set the camera's frame rate.",
    ),
    "changed": (
        "The picture's size or codec changed. Zones stay where they are.",
        "Nothing, unless the zones no longer fit.",
    ),
}
"""Meaning and advice of each fault kind."""

_INTRODUCTION: Final = """\
The API calls a camera's fault `error_kind` while the camera is not live, and `notice_kind` while
it is live with something wrong. The metrics `maskwatch_camera_fault` and
`maskwatch_camera_faults_total` use the same kinds. [Cameras that go
wrong](../how-to/cameras.md#when-a-camera-fails) explains what Maskwatch does by itself."""

_REDIS: Final = """\
`/healthz` and the API answer 503 with `error` set to `redis_unavailable` and one of these words
as `cause`. [When Redis fails](../how-to/redis-faults.md) explains what goes on meanwhile."""


def faults_page() -> str:
    """Return the page with every fault kind; raise `KeyError` for a kind without advice."""
    if surplus := ADVICE.keys() - set(FAULT_KINDS):
        raise KeyError(f"no fault has the kind {sorted(surplus)}: remove it from ADVICE")
    offline = [kind for kind in FAULT_KINDS if kind not in NOTICES]
    head = ("Kind", "What is wrong", "What to do")
    return page(
        "Fault kinds",
        _INTRODUCTION,
        "## A camera that is not live",
        table(head, [(code(kind), *ADVICE[kind]) for kind in offline]),
        "## A camera that is live with something wrong",
        table(head, [(code(kind), *ADVICE[kind]) for kind in NOTICES]),
        "## Redis",
        _REDIS,
        table(
            ("Cause", "Title", "In the message"),
            [(code(cause), TITLES[cause], f"Redis {words}.") for cause, words in WORDS.items()],
        ),
    )
