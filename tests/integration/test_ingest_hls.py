"""Cameras that offer HLS: live and recorded, encrypted, in parts, and with whatever they name."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import psutil
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from contract.errors import SourceError
from ingest.captured import CapturedFrame
from ingest.reach.errors import MOST_REDIRECTS
from ingest.sources.source import open_source
from runtime.settings import load_settings
from tests.builders import Patience
from tests.servers.certificates import Authority
from tests.servers.clips import make_clip, make_hls
from tests.servers.hls import live_hls
from tests.servers.hostile import CANARY_HOST, Canary, canary, file_server, hostile_camera

SETTINGS = load_settings(
    source_hosts_refused=f"{CANARY_HOST}, 10.0.0.0/8", open_timeout_s=3, read_timeout_s=3
)
HEAD = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:7\n"
END = "#EXT-X-ENDLIST\n"
KIND = "application/vnd.apple.mpegurl"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", seconds=4)


@pytest.fixture
def folder(clip: Path, tmp_path: Path) -> Path:
    """The clip in segments of a second, and its playlist."""
    make_hls(tmp_path / "live.m3u8", clip)
    return tmp_path


@pytest.fixture
def forbidden(clip: Path) -> Iterator[Canary]:
    with canary(clip) as there:
        yield there


def frames_of(source: str, count: int) -> list[CapturedFrame]:
    opened = open_source(source, SETTINGS, Patience())
    try:
        return list(islice(opened.frames(), count))
    finally:
        opened.close()


def why_not(source: str) -> SourceError:
    try:
        opened = open_source(source, SETTINGS, Patience())
    except SourceError as error:
        return error
    with pytest.raises(SourceError) as caught:
        for _ in opened.frames():
            pass
    opened.close()
    return caught.value


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("live*.ts"))


def test_a_live_camera_is_followed_from_near_its_newest_segment(folder: Path) -> None:
    with live_hls(folder) as camera:
        camera.began_s -= 60
        frames = frames_of(camera.url, 140)
    asked = [path for path in camera.asked if path.endswith(".ts")]
    first = int(asked[0].strip("/").removesuffix(".ts"))
    assert first in (61, 62)
    assert asked == [f"/{number}.ts" for number in range(first, first + len(asked))]
    assert len(asked) >= 5
    assert len(frames) == 140


def test_a_live_camera_that_restarts_counts_anew(folder: Path) -> None:
    with live_hls(folder) as camera:
        camera.began_s -= 60
        opened = open_source(camera.url, SETTINGS, Patience())
        list(islice(opened.frames(), 30))
        camera.restart()
        assert len(list(islice(opened.frames(), 100))) == 100
        opened.close()


def test_a_live_camera_that_stands_still_is_silent_and_one_that_ends_has_ended(
    folder: Path,
) -> None:
    with live_hls(folder) as camera:
        camera.stands = True
        assert why_not(camera.url).kind == "timeout"
    with file_server(folder) as server:
        assert why_not(f"{server}/live.m3u8").kind == "ended"


def test_of_several_sizes_the_largest_is_played_from_wherever_it_lies(folder: Path) -> None:
    with file_server(folder) as other:
        master = (
            "#EXTM3U\n"
            '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",URI="tcp://127.0.0.2:1"\n'
            f'#EXT-X-STREAM-INF:BANDWIDTH=9,CODECS="avc1.42,mp4a",RESOLUTION=32x18\nsmall.m3u8\n'
            f"#EXT-X-STREAM-INF:BANDWIDTH=5,RESOLUTION=320x180\n{other}/live.m3u8\n"
            '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=99,URI="tcp://127.0.0.2:1"\n'
        )
        answers = {"/moved": (302, "", "/all.m3u8"), "/all.m3u8": (200, KIND, master)}
        with hostile_camera(answers) as camera:
            assert len(frames_of(f"{camera}/moved", 60)) == 60


def test_segments_may_be_encrypted_with_a_key_that_the_playlist_names(folder: Path) -> None:
    key = bytes(range(16))
    (folder / "key").write_bytes(key)
    text = HEAD + '#EXT-X-KEY:METHOD=AES-128,URI="key"\n'
    for number, path in enumerate(segments(folder), 7):
        padder = PKCS7(128).padder()
        encryptor = Cipher(AES(key), CBC(number.to_bytes(16, "big"))).encryptor()
        padded = padder.update(path.read_bytes()) + padder.finalize()
        (folder / f"{number}.enc").write_bytes(encryptor.update(padded) + encryptor.finalize())
        text += f"#EXTINF:1.0,\n{number}.enc\n"
    (folder / "locked.m3u8").write_text(text + END)
    with file_server(folder) as camera:
        assert len(frames_of(f"{camera}/locked.m3u8", 100)) == 100
        (folder / "key").write_bytes(b"short")
        assert why_not(f"{camera}/locked.m3u8").kind == "no_video"


def test_segments_may_be_parts_of_one_file(folder: Path) -> None:
    text, whole = HEAD, b""
    for path in segments(folder):
        text += f"#EXTINF:1.0,\n#EXT-X-BYTERANGE:{path.stat().st_size}\nwhole.ts\n"
        whole += path.read_bytes()
    (folder / "whole.ts").write_bytes(whole)
    (folder / "parts.m3u8").write_text(text + END)
    with file_server(folder) as camera:
        assert len(frames_of(f"{camera}/parts.m3u8", 100)) == 100


def test_segments_may_be_fragments_of_mp4(clip: Path, tmp_path: Path) -> None:
    make_hls(tmp_path / "live.m3u8", clip, kind="fmp4")
    with file_server(tmp_path) as camera:
        assert len(frames_of(f"{camera}/live.m3u8", 100)) == 100


def test_a_camera_over_https_is_read_and_its_redirects_are_seen(
    folder: Path, tmp_path: Path, forbidden: Canary
) -> None:
    context = Authority(tmp_path, "camera").server_context()
    with file_server(folder, tls=context) as camera:
        assert camera.startswith("https:")
        assert len(frames_of(f"{camera}/live.m3u8", 60)) == 60
    moved = {"/live": (302, "", f"{forbidden.url}/video.mp4")}
    with hostile_camera(moved, tls=context) as camera:
        assert (why_not(f"{camera}/live").kind, forbidden.connections) == ("forbidden", 0)


def lures_of(port: int, listening: int) -> list[str]:
    canary_at = f"{CANARY_HOST}:{port}"
    schemes = ("http", "tcp", "tls", "httpproxy", "rtsp", "rtmp", "udp", "ftp", "gopher", "srt")
    return [
        *(f"{scheme}://{canary_at}/a.ts" for scheme in schemes),
        f"//{canary_at}/a.ts",
        f"crypto+tcp://{canary_at}",
        f"async:http://{canary_at}/a.ts",
        f"cache:tcp://{canary_at}",
        f"ffrtmphttp://{canary_at}/a.ts",
        f"tcp://0.0.0.0:{listening}?listen=1",
        f"http://0.0.0.0:{listening}/?listen=1",
        f"http://127.0.0.1:{listening}/?listen=1",
        "http://[::1",
        "{$where}/a.ts",
    ]


FORMS = (
    "#EXTINF:2.0,\n{lure}\n" + END,
    "#EXT-X-STREAM-INF:BANDWIDTH=1000\n{lure}\n",
    '#EXT-X-KEY:METHOD=AES-128,URI="{lure}"\n#EXTINF:2.0,\na.ts\n' + END,
    '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="{lure}"\n#EXTINF:2.0,\na.ts\n' + END,
    '#EXT-X-SESSION-KEY:METHOD=AES-128,URI="{lure}"\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n',
    '#EXT-X-MAP:URI="{lure}"\n#EXTINF:2.0,\na.ts\n' + END,
    '#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID="v",NAME="v",DEFAULT=YES,URI="{lure}"\n'
    '#EXT-X-STREAM-INF:BANDWIDTH=1,VIDEO="v"\na.m3u8\n',
    '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="{lure}"\n',
    '#EXT-X-I-FRAMES-ONLY\n#EXT-X-PART:DURATION=1,URI="{lure}"\n#EXTINF:1,\na.ts\n',
    '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{lure}"\n#EXTINF:1,\na.ts\n' + END,
    '#EXT-X-CONTENT-STEERING:SERVER-URI="{lure}"\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n',
    '#EXT-X-DEFINE:NAME="where",VALUE="{lure}"\n#EXTINF:2.0,\n{$where}\n' + END,
)


@pytest.mark.parametrize("form", FORMS)
def test_nothing_that_a_playlist_names_connects_anywhere_it_may_not_or_listens(
    forbidden: Canary, folder: Path, form: str
) -> None:
    segment = segments(folder)[0].read_bytes().decode("latin-1")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listening = probe.getsockname()[1]
    heard = Listeners()
    for lure in lures_of(forbidden.port, listening):
        answers = {"/p.m3u8": (200, KIND, HEAD + form.replace("{lure}", lure))}
        with hostile_camera({**answers, "/a.ts": (200, "video/mp2t", segment)}) as camera:
            heard.begin()
            with suppress(SourceError):
                opened = open_source(f"{camera}/p.m3u8", SETTINGS, heard)
                list(islice(opened.frames(), 3))
                opened.close()
            heard.look()
        assert forbidden.connections == 0, lure
    assert heard.new == set()


class Listeners(Patience):
    """Looks, whenever a source waits, which ports this process has begun to listen on."""

    def __init__(self) -> None:
        super().__init__()
        self.new: set[Any] = set()
        self.begin()

    def begin(self) -> None:
        self._before = _listening()

    def look(self) -> None:
        self.new |= _listening() - self._before

    def extend(self, seconds: float) -> None:
        self.look()

    def wait(self, seconds: float) -> bool:
        self.look()
        return False


def _listening() -> set[Any]:
    connections = psutil.Process().net_connections()
    return {one.laddr for one in connections if one.status == psutil.CONN_LISTEN}


def test_a_playlist_within_segments_is_no_playlist(forbidden: Canary) -> None:
    inner = HEAD + f"#EXTINF:2.0,\ntcp://{CANARY_HOST}:{forbidden.port}\n" + END
    outer = HEAD + "#EXTINF:2.0,\na.ts\n#EXTINF:2.0,\nb.ts\n" + END
    answers = {
        "/p.m3u8": (200, KIND, outer),
        "/a.ts": (200, "video/mp2t", inner[:4]),
        "/b.ts": (200, "video/mp2t", inner[4:]),
    }
    with hostile_camera(answers) as camera:
        assert why_not(f"{camera}/p.m3u8").kind == "no_video"
    assert forbidden.connections == 0


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/dash+xml", "<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011' "
         "type='static' mediaPresentationDuration='PT9S' profiles='a'><Period><AdaptationSet>"
         "<Representation id='1' mimeType='video/mp4'><BaseURL>{canary}/a.mp4</BaseURL>"
         "</Representation></AdaptationSet></Period></MPD>"),
        ("application/sdp", "v=0\r\no=- 0 0 IN IP4 {host}\r\ns=x\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
         "m=video {port} RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:rtsp://{host}:{port}/\r\n"),
        ("text/plain", "ffconcat version 1.0\nfile {canary}/a.mp4\n"),
        ("audio/x-mpegurl", "#EXTM3U\n{canary}/a.mp4\n"),
        ("text/html", "<meta http-equiv=refresh content='0;url={canary}/'>"),
        ("video/x-ms-asf", "[Reference]\r\nRef1={canary}/a.asf\r\n"),
        ("application/smil", "<smil><body><video src='{canary}/a.mp4'/></body></smil>"),
    ],
)  # fmt: skip
def test_other_texts_that_name_addresses_are_no_video(
    forbidden: Canary, kind: str, body: str
) -> None:
    names = {"canary": forbidden.url, "host": CANARY_HOST, "port": str(forbidden.port)}
    for name, value in names.items():
        body = body.replace("{" + name + "}", value)
    for path in ("/x", "/x.mpd", "/x.sdp", "/x.m3u8"):
        with hostile_camera({path: (200, kind, body)}) as camera:
            assert why_not(f"{camera}{path}").kind == "no_video"
    assert forbidden.connections == 0


def test_playlists_that_lead_to_playlists_without_end_are_given_up() -> None:
    nested = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n/p.m3u8\n"
    with hostile_camera({"/p.m3u8": (200, KIND, nested)}) as camera:
        assert why_not(f"{camera}/p.m3u8").kind == "no_video"
    loop = {"/p.m3u8": (200, KIND, HEAD + "#EXTINF:1,\n/loop\n" + END), "/loop": (302, "", "/loop")}
    with hostile_camera(loop) as camera:
        error = why_not(f"{camera}/p.m3u8")
    assert (error.kind, str(MOST_REDIRECTS) in str(error)) == ("redirect", True)


def test_segments_that_are_empty_or_gone_do_not_keep_a_reader_for_ever() -> None:
    empty = HEAD + "#EXTINF:1,\n/empty\n" * 50_000 + END
    with hostile_camera({"/p.m3u8": (200, KIND, empty), "/empty": (200, KIND, "")}) as camera:
        assert why_not(f"{camera}/p.m3u8").kind in ("timeout", "no_video")
    gone = HEAD + "#EXTINF:1,\n/gone\n" * 9
    with hostile_camera({"/p.m3u8": (200, KIND, gone)}) as camera:
        assert why_not(f"{camera}/p.m3u8").kind == "not_found"


def test_an_endless_playlist_is_refused(folder: Path) -> None:
    (folder / "long.m3u8").write_text(HEAD + "#EXTINF:1.0,\nlive0.ts\n" * 2**17)
    with file_server(folder) as camera:
        error = why_not(f"{camera}/long.m3u8")
    assert (error.kind, "1048576 bytes" in str(error)) == ("no_video", True)


def test_user_and_password_go_to_the_cameras_own_host_alone(folder: Path) -> None:
    asked: list[tuple[str, str]] = []
    with file_server(folder, host="127.0.0.3", asked=asked) as other:
        (folder / "far.m3u8").write_text(HEAD + f"#EXTINF:1,\n{other}/live0.ts\n" * 3 + END)
        near: list[tuple[str, str]] = []
        with file_server(folder, login="Basic", asked=near) as camera:
            locked = camera.replace("://", "://admin:s3cret@")
            assert len(frames_of(f"{locked}/live.m3u8", 60)) == 60
            assert len(frames_of(f"{locked}/far.m3u8", 20)) == 20
            assert why_not(f"{camera}/live.m3u8").kind == "authentication"
    assert any(said for _, said in near)
    assert [said for _, said in asked if said] == []
