"""Cameras' addresses that lead elsewhere (result F3).

python -m benchmarks.attacks.led_elsewhere

Some 280 addresses and payloads, each taken the way that a camera's address takes: checked as it is
registered, then opened and read by the code that ingest reads with. A web server that must not be
visited listens on another address of this machine, and a video that must not be read lies in a
folder that is not allowed; both are shown to be reachable first. Only the code of this checkout
is tried: it runs in this very process.
"""

from __future__ import annotations

import os
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Final

from benchmarks.attacks.report import Attack, attacked_checkout, print_attack
from benchmarks.system import ROOT
from contract.cameras.camera import make_camera
from contract.errors import CameraConfigError, MaskwatchError, SourceError
from ingest.reach.address import parse_source
from ingest.reach.reach import Reach
from ingest.sources.opening import Opening
from ingest.sources.source import open_source
from runtime.settings import Settings, load_settings
from tests.servers.camera_faults import RTSP_STEPS, Answers, Reply
from tests.servers.clips import make_clip
from tests.servers.faulty_rtsp import FaultyRtspCamera
from tests.servers.hostile import CANARY_HOST, Canary, canary, hostile_camera
from tests.servers.odd_web import Snapshot, web_camera
from tests.servers.rtsp import with_login

PASSWORD: Final = "s3cr3t-W0rd"  # noqa: S105 - to be looked for in messages
LEAST_WORDS: Final = 20

METADATA: Final = (
    *("169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "0xa9.0xfe.0xa9.0xfe"),
    *("169.254.43518", "169.16689662", "0xa9.254.0251.254", "[::ffff:169.254.169.254]"),
    *("[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::]", "[fd00:ec2::254]"),
    *("169.254.170.2", "100.100.100.200", "192.0.0.192", "168.63.129.16", "169.254.169.123"),
)
NO_HOSTS: Final = (
    *("0.0.0.0", "0", "0x0", "[::]", "224.0.0.1", "239.255.255.250", "255.255.255.255"),  # noqa: S104 - to be refused
    *("[ff02::1]", "240.0.0.1", "[::ffff:0.0.0.0]"),
)
"""Addresses of no single host, or of none."""
REFUSED_HERE: Final = (
    *("127.0.0.2", "127.2", "2130706434", "0x7f000002", "0177.0.0.2", "127.0.2", "0x7f.0.0.2"),
    *(
        "[::ffff:127.0.0.2]",
        "[::ffff:7f00:2]",
        "[64:ff9b::7f00:2]",
        "10.0.0.1",
        "10.1",
        "167772161",
    ),
)
SCHEMES: Final = (
    *("file", "pipe", "concat", "concatf", "subfile", "tcp", "udp", "rtp", "unix", "data", "cache"),
    *("async", "crypto", "tee", "fd", "ftp", "sftp", "gopher", "gophers", "rtmp", "rtmps", "mms"),
    *(
        "mmsh",
        "srt",
        "srtp",
        "zmq",
        "amqp",
        "smb",
        "ipfs",
        "ipns",
        "icecast",
        "ffrtmphttp",
        "bluray",
    ),
    *("httpproxy", "ws", "ldap", "dict", "jar", "javascript", "php", "netdoc", "hls", "dash"),
)
TRICKS: Final = (
    "concat:{file}|{file}",
    "concatf:{file}",
    "subfile,,start,0,end,0,,:{file}",
    "pipe:0",
    "pipe:",
    "fd:0",
    "file:{file}",
    "file:/{file}",
    "data:video/mp4;base64,AAAA",
    "cache:{canary}/a.mp4",
    "async:{file}",
    "crypto:{file}",
    "hls+{canary}/a.m3u8",
    "hls+file:{file}",
    "tee:{file}",
    "lavfi:testsrc",
    "movie={file}",
    "unix:/var/run/docker.sock",
    "exec:id",
    "-i {file}",
    "-f lavfi -i movie={file}",
    "|id",
    "`id`",
    "$(id)",
    "{file} -y /tmp/out.mp4",
    "http:{canary}",
    "http:/127.0.0.2:{port}/a.mp4",
    "//127.0.0.2:{port}/a.mp4",
    "\\\\127.0.0.2\\share\\a.mp4",
)
PATHS: Final = (
    "{file}",
    "{videos}/../secret/canary.mp4",
    "{videos}/link.mp4",
    "{videos}/folder/canary.mp4",
    "{videos}/./../secret/./canary.mp4",
    "{videos}//../secret//canary.mp4",
    "{videos}/%2e%2e/secret/canary.mp4",
    "{videos}/pipe.mp4",
    "{videos}",
    "{videos}/loop.mp4",
    "/dev/zero",
    "/dev/stdin",
    "/dev/fd/0",
    "/dev/random",
    "/dev/video0/../../{file}",
    "/proc/self/environ",
    "/proc/self/fd/0",
    "/proc/self/root/{file}",
    "/proc/self/cwd/../../{file}",
    "/etc/passwd",
    "/etc/shadow",
    "~/.ssh/id_rsa",
    "../../../../etc/passwd",
    "..\\..\\secret\\canary.mp4",
)
WRITTEN_ODDLY: Final = (
    "rtsp://127.0.0.1@127.0.0.2:{port}/live",
    "http://user:{password}@127.0.0.2:{port}/a.mp4",
    "http://127.0.0.1:80@127.0.0.2:{port}/a.mp4",
    "http://127.0.0.1%40127.0.0.2:{port}/a.mp4",
    "http://127.0.0.1#@127.0.0.2:{port}/a.mp4",
    "http://127.0.0.1?@127.0.0.2:{port}/a.mp4",
    "http://127.0.0.1\\@127.0.0.2:{port}/a.mp4",
    "http://127.0.0.2.:{port}/a.mp4",
    "HTTP://127.0.0.2:{port}/a.mp4",
    "hTTp://0177.0.0.02:{port}/a.mp4",
    "http://①②⑦.⓪.⓪.②:{port}/a.mp4",
    "http://127。0。0。2:{port}/a.mp4",
    "http://[::ffff:127.0.0.2%25lo]:{port}/a.mp4",
    "http://127.0.0.2:{port}/a.mp4?http_proxy=http://127.0.0.2:{port}",
    "http://127.0.0.2:{port}/a.mp4|headers=X: y",
    "http://127.0.0.2:{port}/ HTTP/1.1\r\nX: y",
    "http://127.0.0.2:{port}/a\x00.mp4",
    "http://127.0.0.2:{port}/a\n.mp4",
    "rtsp://user:{password}@127.0.0.2:{port}/live?tcp&localaddr=127.0.0.1",
    "rtsp://127.0.0.2:{port}/live?protocol_whitelist=file",
    "http://127.0.0.2:99999/a.mp4",
    "http://127.0.0.2:-1/a.mp4",
    "http://:{port}/a.mp4",
    "http://",
    "http:///a.mp4",
    "rtsp://user:{password}@/live",
    "http://" + "a" * 1990,
    "http://" + "a." * 900 + "example/",
    "http://" + "a" * 3000 + "/",
    "rtsp://[::1",
    "rtsp://]/",
    "http://xn--/a",
    "",
    " ",
    "\u202ehttp://127.0.0.2:{port}/",
)
LURES: Final = (
    "{canary}/segment.ts",
    "file://{file}",
    "{file}",
    "concat:{file}|{file}",
    "subfile,,start,0,end,0,,:{file}",
    "crypto+file:{file}",
    *("tcp://127.0.0.2:{port}", "tls://127.0.0.2:{port}", "httpproxy://127.0.0.2:{port}/"),
    "data:text/plain;base64,AAAA",
    "http://169.254.169.254/latest/meta-data/",
)
"""What a playlist may name."""


@dataclass(frozen=True)
class Attempt:
    """One attempt; `do` raises what it was refused with."""

    kind: str
    what: str
    do: Callable[[], None]


@dataclass
class Place:
    """Where attacks are aimed, and how one sees that they hit."""

    settings: Settings
    canary: Canary
    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "secret" / "canary.mp4"

    def fill(self, text: str) -> str:
        """`text` with this place's names in it."""
        names = {
            "{canary}": self.canary.url,
            "{port}": str(self.canary.port),
            "{file}": str(self.file),
            "{videos}": str(self.folder / "videos"),
            "{password}": PASSWORD,
        }
        for name, value in names.items():
            text = text.replace(name, value)
        return text

    def watch(self) -> None:
        """Have the next reading of the file change when it was last read."""
        self.canary.visits.clear()
        self.canary.connections = 0
        os.utime(self.file, (1, 2))

    def was_hit(self) -> bool:
        """Whether the canary was connected to or the file read since `watch`."""
        return bool(self.canary.connections) or self.file.stat().st_atime_ns != 1_000_000_000


class _Patience:
    def extend(self, seconds: float) -> None: ...

    def wait(self, seconds: float) -> bool:
        return False


@dataclass
class Findings:
    """What became of the attacks."""

    kinds: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    hits: list[str] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)
    """Not refused by a typed error in words, or with the password in them."""


def read(source: str, settings: Settings) -> None:
    """Register a source, open it and read one frame."""
    make_camera(name="attack", source=source)
    opened = open_source(source, settings, _Patience())
    try:
        next(opened.frames())
    finally:
        opened.close()


Serve = Callable[[dict[str, tuple[int, str, str]]], str]


def attempts(place: Place, camera: Serve) -> list[Attempt]:
    """Every attempt. `camera` serves answers by path and returns its URL."""
    return [
        *_addresses(place),
        *(_source(place, "scheme", f"{scheme}://127.0.0.2:{{port}}{{file}}") for scheme in SCHEMES),
        *(_source(place, "protocol trick", trick) for trick in TRICKS),
        *(_source(place, "path", path) for path in PATHS),
        *(_source(place, "written oddly", odd) for odd in WRITTEN_ODDLY),
        *_redirects(place, camera),
        *_later_pictures(place),
        *_rtsp_redirects(place),
        *_playlists(place, camera),
        *_rebinding(place),
    ]


def _source(place: Place, kind: str, template: str) -> Attempt:
    source = place.fill(template)
    return Attempt(kind, source, lambda: read(source, place.settings))


def _addresses(place: Place) -> Iterator[Attempt]:
    for kind, hosts in (("metadata", METADATA), ("no host", NO_HOSTS), ("refused", REFUSED_HERE)):
        for host in hosts:
            yield _source(place, kind, f"http://{host}:{{port}}/latest/meta-data/")
    for host in (METADATA[0], METADATA[1], METADATA[8], "127.2"):
        yield _source(place, "metadata", f"rtsp://user:{{password}}@{host}:{{port}}/live")


def _redirects(place: Place, camera: Serve) -> Iterator[Attempt]:
    goals = (
        *("{canary}/video.mp4", "http://169.254.169.254/", "file://{file}", "{file}"),
        *(
            "concat:{file}",
            "tcp://127.0.0.2:{port}",
            "rtsp://127.0.0.2:{port}/",
            "//127.0.0.2:{port}/",
        ),
        "http://2130706434:{port}/video.mp4",
    )
    for status in (301, 302, 307, 308):
        for goal in goals[:2] if status != 302 else goals:
            url = camera({"/live": (status, "", place.fill(goal))})
            yield _source(place, "redirect", f"{url}/live")
    chain = {f"/{hop}": (302, "", f"/{hop + 1}") for hop in range(4)}
    url = camera({**chain, "/4": (302, "", place.fill("{canary}/video.mp4"))})
    yield _source(place, "redirect", f"{url}/0")
    yield _source(place, "redirect", f"{camera({'/loop': (302, '', '/loop')})}/loop")


def _later_pictures(place: Place) -> Iterator[Attempt]:
    """Snapshot cameras that are well at first, and send whoever asks again elsewhere."""
    for goal in (
        *("{canary}/picture.jpg", "http://2130706434:{port}/", "http://169.254.169.254/"),
        *("file://{file}", "{file}", "//127.0.0.2:{port}/", "rtsp://127.0.0.2:{port}/"),
    ):
        yield Attempt("later picture", goal, _lured_later(place, place.fill(goal)))


def _lured_later(place: Place, goal: str) -> Callable[[], None]:
    def do() -> None:
        well = iter([True, True])

        def moves(handler: BaseHTTPRequestHandler) -> bool:
            if next(well, False):
                return False
            handler.send_response(302)
            handler.send_header("Location", goal)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return True

        with web_camera(Snapshot(fault=moves)) as served:
            url = with_login(served.url, "user", PASSWORD)
            opened = open_source(url, place.settings, _Patience())
            try:
                for _ in opened.frames():
                    pass
            finally:
                opened.close()

    return do


def _rtsp_redirects(place: Place) -> Iterator[Attempt]:
    goals = (
        *("rtsp://127.0.0.2:{port}/live", "rtsps://user:{password}@127.0.0.2:{port}/live"),
        *(
            "rtsp://2130706434:{port}/",
            "rtsp://169.254.169.254/latest/meta-data/",
            "{canary}/a.mp4",
        ),
    )
    for step in RTSP_STEPS:
        for goal in goals:
            yield Attempt("RTSP redirect", f"{step}: {goal}", _lured(place, step, place.fill(goal)))


def _lured(place: Place, step: str, goal: str) -> Callable[[], None]:
    def do() -> None:
        before = place.canary.connections
        with FaultyRtspCamera() as camera:
            camera.begin(Answers(step, Reply(302, "Found", (("Location", goal),))))
            try:
                read(camera.url, place.settings)
            finally:
                if place.canary.connections > before:  # no request that it understands is made
                    place.canary.visits.append(goal)

    return do


def _playlists(place: Place, camera: Serve) -> Iterator[Attempt]:
    head = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n"
    forms = (
        head + "#EXTINF:2.0,\n{lure}\n#EXT-X-ENDLIST\n",
        "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\n{lure}\n",
        head + '#EXT-X-KEY:METHOD=AES-128,URI="{lure}"\n#EXTINF:2.0,\na.ts\n#EXT-X-ENDLIST\n',
        head + '#EXT-X-MAP:URI="{lure}"\n#EXTINF:2.0,\na.ts\n#EXT-X-ENDLIST\n',
    )
    for lure in LURES:
        for form in forms:
            body = form.replace("{lure}", place.fill(lure))
            answers = {"/a.m3u8": (200, "application/vnd.apple.mpegurl", body)}
            url = camera({**answers, "/a.ts": (200, "video/mp2t", "x" * 376)})
            yield _source(place, "playlist", f"{url}/a.m3u8")
    for kind, body in (
        ("application/dash+xml", "<MPD><BaseURL>{canary}/</BaseURL></MPD>"),
        ("application/sdp", "v=0\nc=IN IP4 127.0.0.2\nm=video {port} RTP/AVP 96\n"),
        ("text/plain", "ffconcat version 1.0\nfile {file}\n"),
        ("text/html", "<meta http-equiv=refresh content='0;url={canary}/'>"),
    ):
        url = camera({"/x": (200, kind, place.fill(body))})
        yield _source(place, "playlist", f"{url}/x")


def _rebinding(place: Place) -> Iterator[Attempt]:
    """Names that resolve to something else the second time, or to several addresses at once."""
    answers: tuple[tuple[list[str], ...], ...] = (
        ([CANARY_HOST],),
        (["127.0.0.1", CANARY_HOST],),
        (["169.254.169.254"],),
        (["::ffff:169.254.169.254"],),
        (["127.0.0.1"], [CANARY_HOST]),
        (["127.0.0.1"], ["169.254.169.254"]),
        ([],),
    )
    for scheme in ("rtsp", "http"):
        for given in answers:
            yield Attempt("rebinding", f"{scheme} {given}", _rebound(place, scheme, given))


def _rebound(place: Place, scheme: str, answers: tuple[list[str], ...]) -> Callable[[], None]:
    def do() -> None:
        asked = 0

        def resolve(host: str, port: int) -> list[str]:
            nonlocal asked
            asked += 1
            return answers[min(asked, len(answers)) - 1]

        networks = Reach.of(place.settings)
        reach = Reach(networks.allowed, networks.refused, networks.files, resolve)
        url = f"{scheme}://user:{PASSWORD}@camera.example:{place.canary.port}/live"
        for _ in answers:
            opening = Opening(parse_source(url), place.settings, reach)
            try:
                opening.open().close()
            except SourceError as error:
                if error.kind in {"forbidden", "host_not_found"}:
                    raise
            finally:
                opening.close()
        raise SourceError("the first address, which is this machine, has no camera on this port")

    return do


def try_all(found: list[Attempt], place: Place) -> Findings:
    """Make every attempt and see what became of it."""
    findings = Findings()
    for attack in found:
        place.watch()
        findings.kinds[attack.kind] += 1
        shown = f"{attack.kind}: {attack.what[:90]!r}"
        try:
            attack.do()
            findings.unclear.append(f"{shown}: not refused")
        except (SourceError, CameraConfigError) as error:
            _judge(error, shown, findings)
        except Exception as error:
            findings.unclear.append(f"{shown}: {error!r:.200}")
        if place.was_hit():
            findings.hits.append(f"{shown}: {place.canary.visits or 'the file was read'}")
    return findings


def _judge(error: MaskwatchError, shown: str, findings: Findings) -> None:
    words = str(error)
    findings.refusals[getattr(error, "kind", "not registered")] += 1
    if len(words) < LEAST_WORDS or not words.isprintable():
        findings.unclear.append(f"{shown}: {words!r}")
    if PASSWORD in "".join(traceback.format_exception(error)):
        findings.unclear.append(f"{shown}: the password is in its message")


@contextmanager
def prepared() -> Iterator[tuple[Place, Serve]]:
    """A place to attack, and how to serve answers that lure there."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name).resolve()
        (folder / "secret").mkdir()
        (folder / "videos").mkdir()
        clip = make_clip(folder / "secret" / "canary.mp4")
        (folder / "videos" / "link.mp4").symlink_to(clip)
        (folder / "videos" / "folder").symlink_to(folder / "secret")
        (folder / "videos" / "loop.mp4").symlink_to(folder / "videos" / "loop.mp4")
        os.mkfifo(folder / "videos" / "pipe.mp4")
        settings = load_settings(
            source_hosts_refused=f"{CANARY_HOST}, 10.0.0.0/8",
            source_folders=str(folder / "videos"),
            open_timeout_s=3,
            read_timeout_s=3,
        )
        place = Place(settings, stack.enter_context(canary(clip)), folder)
        yield place, lambda answers: stack.enter_context(hostile_camera(answers))


def show_that_both_can_be_reached(place: Place) -> None:
    """Hit the canary and the file where that is allowed; raise RuntimeError if none notices."""
    for source in (f"{place.canary.url}/video.mp4", str(place.file)):
        place.watch()
        read(source, load_settings())
        if not place.was_hit():
            raise RuntimeError("a canary does not notice; is this file system mounted noatime?")


def attacks(checkout: Path) -> Iterator[Attack]:
    """Make every attempt on the code of this checkout; of another, none."""
    if checkout != ROOT:
        return
    with prepared() as (place, camera):
        show_that_both_can_be_reached(place)
        findings = try_all(attempts(place, camera), place)
    many = f"{findings.kinds.total()} attempts"
    hits, unclear = findings.hits, findings.unclear
    seen = f"canaries reached: {hits or 0}; {dict(findings.kinds)}"
    yield Attack(10, f"{many} to lead a camera elsewhere", not hits, seen, "F3")
    seen = f"in other words: {unclear or 0}; refused as {dict(findings.refusals)}"
    yield Attack(0, f"{many}, each refused in clear words", not unclear, seen, "F3")


def main() -> None:
    for attack in attacks(attacked_checkout(__doc__ or "")):
        print_attack(attack)


if __name__ == "__main__":
    main()
