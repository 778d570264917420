"""What a camera's address may reach: no forbidden host or file, by whatever detour."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from benchmarks.attacks.led_elsewhere import (
    attempts,
    prepared,
    show_that_both_can_be_reached,
    try_all,
)
from contract.errors import SourceError, SourceForbiddenError
from ingest.reach.address import parse_source
from ingest.reach.files import FileReach
from ingest.reach.reach import Reach
from ingest.sources.opening import Opening
from ingest.sources.source import open_source
from runtime.settings import Settings, load_settings
from tests.builders import Patience
from tests.servers.camera_faults import RTSP_STEPS, Answers, AnswersInTurn, Reply, Several, Utters
from tests.servers.certificates import Authority
from tests.servers.clips import make_clip, make_hls
from tests.servers.doorman import Doorman
from tests.servers.faulty_rtsp import FaultyRtspCamera
from tests.servers.hostile import CANARY_HOST, Canary, canary, file_server, hostile_camera
from tests.servers.http import http_cameras
from tests.servers.odd_web import Snapshot, web_camera
from tests.servers.rtsp import rtsp_server, with_login

SETTINGS = load_settings(
    source_hosts_refused=f"{CANARY_HOST}, 10.0.0.0/8", open_timeout_s=3, read_timeout_s=3
)

ASKS = Reply(401, "Unauthorized", (("WWW-Authenticate", 'Digest realm="camera", nonce="17"'),))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clips") / "clip.mp4")


@pytest.fixture
def forbidden(clip: Path) -> Iterator[Canary]:
    with canary(clip) as there:
        yield there


def why_not(source: str, settings: Settings = SETTINGS, later: bool = False) -> SourceError:
    """Return why a source shows nothing; `later`: or stops to."""
    try:
        opened = open_source(source, settings, Patience())
    except SourceError as error:
        return error
    try:
        with pytest.raises(SourceError) as caught:
            list(opened.frames()) if later else next(opened.frames())
    finally:
        opened.close()
    return caught.value


def test_the_canary_can_be_reached_where_it_is_not_refused(forbidden: Canary) -> None:
    opened = open_source(f"{forbidden.url}/video.mp4", load_settings(), Patience())
    assert opened.info.width == 320
    opened.close()
    assert forbidden.visits
    before = forbidden.connections
    with FaultyRtspCamera() as camera:
        camera.begin(Answers("DESCRIBE", moved(f"rtsp://{CANARY_HOST}:{forbidden.port}/live")))
        assert why_not(camera.url, load_settings(read_timeout_s=1, open_timeout_s=1)).kind
    assert forbidden.connections > before


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_to_a_forbidden_host_is_not_followed(forbidden: Canary, status: int) -> None:
    with hostile_camera({"/live": (status, "", f"{forbidden.url}/video.mp4")}) as camera:
        error = why_not(f"{camera}/live")
    assert (error.kind, forbidden.visits) == ("forbidden", [])
    assert "MASKWATCH_SOURCE_HOSTS_REFUSED" in str(error)


def test_a_redirect_to_an_allowed_host_is_followed() -> None:
    with http_cameras() as cameras:
        moved = {"/live": (302, "", f"{cameras}/mjpeg")}
        with hostile_camera(moved) as camera:
            opened = open_source(f"{camera}/live", SETTINGS, Patience())
            assert next(opened.frames()).image(160).shape[1] == 160
            opened.close()


def test_no_later_picture_of_a_snapshot_camera_leads_to_a_forbidden_host(
    forbidden: Canary,
) -> None:
    well = iter([True, True])

    def lures(handler: BaseHTTPRequestHandler) -> bool:
        if next(well, False):
            return False
        handler.send_response(302)
        handler.send_header("Location", f"{forbidden.url}/picture.jpg")
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return True

    with web_camera(Snapshot(fps=50, fault=lures)) as served:
        error = why_not(served.url, later=True)
    assert (error.kind, forbidden.connections) == ("forbidden", 0)


@pytest.mark.parametrize("kept", [True, False])
def test_a_name_that_changes_its_mind_between_two_pictures_gains_nothing(
    forbidden: Canary, kept: bool
) -> None:
    named = iter(["127.0.0.1"] * (2 if kept else 1))
    reach = replace(Reach.of(SETTINGS), resolve=lambda *_: [next(named, CANARY_HOST)])
    with web_camera(Snapshot(fps=50, length=kept)) as served:
        port = served.url.rpartition(":")[2].partition("/")[0]
        address = parse_source(f"http://camera.example:{port}/live")
        opening = Opening(address, SETTINGS, reach)
        try:
            container = opening.open()
            packets = container.demux(video=0)
            if kept:
                assert len([packet for packet, _ in zip(packets, range(5), strict=False)]) == 5
            else:
                with pytest.raises(SourceForbiddenError):
                    list(packets)
        except SourceForbiddenError:
            assert not kept  # opening asked for a second picture
        finally:
            opening.close()
        assert served.connections == 1 + kept
    assert forbidden.connections == 0


def test_a_password_does_not_go_along_to_another_host_for_any_picture() -> None:
    with web_camera(Snapshot(fps=50)) as other:
        elsewhere = other.url.replace("127.0.0.1", "localhost")

        def moves(handler: BaseHTTPRequestHandler) -> bool:
            handler.send_response(302)
            handler.send_header("Location", elsewhere)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return True

        with web_camera(Snapshot(fault=moves), Doorman(['Basic realm="c"'])) as moving:
            opened = open_source(with_login(moving.url, "admin", "s3cret"), SETTINGS, Patience())
            assert len(list(islice(opened.frames(), 4))) == 4
            opened.close()
    assert len(other.requests) >= 4
    assert not any("authorization" in headers for _, headers in other.requests)


@pytest.mark.parametrize(
    "lure",
    [
        "{canary}/segment.ts",
        "file:///etc/passwd",
        "/etc/passwd",
        "concat:/etc/passwd|/etc/hosts",
        "subfile,,start,0,end,0,,:/etc/passwd",
        "tcp://127.0.0.2:{port}",
        "data:text/plain;base64,AAAA",
        "http://169.254.169.254/latest/meta-data/",
    ],
)
def test_a_playlist_leads_to_no_forbidden_host_or_file(forbidden: Canary, lure: str) -> None:
    lure = lure.format(canary=forbidden.url, port=forbidden.port)
    head = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n"
    playlist = f"{head}#EXTINF:2.0,\n{lure}\n#EXT-X-ENDLIST\n"
    master = f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\n{lure}\n"
    key = f'{head}#EXT-X-KEY:METHOD=AES-128,URI="{lure}"\n#EXTINF:2.0,\na.ts\n#EXT-X-ENDLIST\n'
    kind = "application/vnd.apple.mpegurl"
    answers = {"/a.m3u8": playlist, "/m.m3u8": master, "/k.m3u8": key, "/a.ts": "x" * 376}
    with hostile_camera({path: (200, kind, body) for path, body in answers.items()}) as camera:
        for path in ("/a.m3u8", "/m.m3u8", "/k.m3u8"):
            why_not(f"{camera}{path}")
    assert forbidden.visits == []


def test_a_playlist_of_its_own_plays_on_from_segment_to_segment(clip: Path, tmp_path: Path) -> None:
    make_hls(tmp_path / "live.m3u8", clip)
    assert len(list(tmp_path.glob("*.ts"))) >= 2
    with file_server(tmp_path) as camera:
        opened = open_source(f"{camera}/live.m3u8", SETTINGS, Patience())
        frames = [frame for frame, _ in zip(opened.frames(), range(40), strict=False)]
        opened.close()
    assert len(frames) == 40
    assert frames[-1].time_s - frames[0].time_s == pytest.approx(39 / 25, abs=0.2)


@pytest.mark.parametrize(
    "source",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://2852039166/",
        "http://0xa9fea9fe/",
        "http://[::ffff:169.254.169.254]/",
        "https://[fd00:ec2::254]/",
        "rtsp://169.254.170.2/live",
        "rtsp://user:secret@100.100.100.200:554/live",
        "http://0.0.0.0:1/",
        "rtsp://224.0.0.1/live",
        "http://10.1.2.3/live",
    ],
)
def test_forbidden_addresses_are_refused_however_they_are_written(source: str) -> None:
    error = why_not(source)
    assert error.kind == "forbidden"
    assert "secret" not in str(error)


def test_a_name_is_looked_up_once_and_that_address_connected_to(clip: Path) -> None:
    asked: list[str] = []

    def changing_its_mind(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    reach = Reach(resolve=changing_its_mind)
    with rtsp_server({"hall": clip}) as url:
        named = url.replace("127.0.0.1", "camera.example") + "/hall"
        opening = Opening(parse_source(named), SETTINGS, reach)
        opening.open().close()
        assert asked == ["camera.example"]
        with pytest.raises(SourceError, match="can never be"):
            opening.open()


def test_only_allowed_networks_are_connected_to(forbidden: Canary) -> None:
    settings = load_settings(source_hosts_allowed="192.168.7.0/24")
    with pytest.raises(SourceError, match="MASKWATCH_SOURCE_HOSTS_ALLOWED"):
        open_source(f"{forbidden.url}/video.mp4", settings, Patience())
    assert forbidden.visits == []


def test_files_are_played_from_the_given_folders_only(clip: Path, tmp_path: Path) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    (videos / "hall.mp4").write_bytes(clip.read_bytes())
    (videos / "link.mp4").symlink_to(clip)
    settings = load_settings(source_folders=str(videos))
    open_source(str(videos / "hall.mp4"), settings, Patience()).close()
    for path in (clip, videos / "link.mp4", videos / ".." / "other.mp4", "/etc/passwd"):
        with pytest.raises(SourceError, match="MASKWATCH_SOURCE_FOLDERS") as caught:
            open_source(str(path), settings, Patience())
        assert caught.value.kind == "forbidden"


def test_a_file_that_names_other_files_is_no_video(clip: Path, tmp_path: Path) -> None:
    segment = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{clip}\n#EXT-X-ENDLIST\n"
    texts = {
        "list.m3u8": segment,
        "list.mp4": segment,
        "list.ffconcat": "ffconcat version 1.0\nfile {clip}\n",
        "list.sdp": "v=0\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
        "list.mpd": "<MPD><Period><AdaptationSet><BaseURL>{clip}</BaseURL></AdaptationSet>",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text.replace("{clip}", str(clip)))
        assert why_not(str(tmp_path / name)).kind == "no_video", name


def test_a_pipe_is_no_video(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    assert why_not(str(tmp_path / "pipe.mp4")).kind == "forbidden"


def test_a_file_whose_name_looks_like_a_protocol_is_a_file(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = tmp_path / "concat:a|b.mp4"
    odd.write_bytes(clip.read_bytes())
    open_source(str(odd), SETTINGS, Patience()).close()
    monkeypatch.chdir(tmp_path)
    open_source("concat:a|b.mp4", SETTINGS, Patience()).close()


def test_a_proxy_set_for_the_machine_is_not_gone_past(
    forbidden: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    assert why_not(f"{forbidden.url}/video.mp4").kind == "forbidden"
    assert forbidden.visits == []


def test_a_link_to_itself_is_no_video(tmp_path: Path) -> None:
    (tmp_path / "loop.mp4").symlink_to(tmp_path / "loop.mp4")
    assert why_not(str(tmp_path / "loop.mp4")).kind == "not_found"


@pytest.fixture
def ours(clip: Path, tmp_path: Path) -> Settings:
    """Settings whose folders hold films, as one who looks for them would hope."""
    settings = load_settings(
        {},
        state_dir=tmp_path / "state",
        recordings_dir=tmp_path / "recordings",
        secret_key_file=tmp_path / "keys" / "secret.key",
    )
    for folder in ("state/redis", "recordings", "keys"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "film.mp4").write_bytes(clip.read_bytes())
    return settings


@pytest.mark.parametrize(
    "there", ["state/redis/film.mp4", "recordings/film.mp4", "state/../keys/film.mp4"]
)
@pytest.mark.parametrize("folders", ["", "{}"])
def test_our_own_folders_are_played_by_nobody_and_tell_nothing(
    ours: Settings, tmp_path: Path, there: str, folders: str
) -> None:
    settings = ours.model_copy(update={"source_folders": folders.format(tmp_path)})
    (tmp_path / "link.mp4").symlink_to(tmp_path / there)
    (tmp_path / "nothing.mp4").symlink_to((tmp_path / there).with_name("nothing.mp4"))
    (tmp_path / "folder").symlink_to((tmp_path / there).parent)
    missing = why_not(str((tmp_path / there).with_name("nothing.mp4")), settings)
    assert missing.kind == "forbidden"
    for name in (there, "link.mp4", "nothing.mp4", "folder/film.mp4", "folder/nothing.mp4"):
        found = why_not(str(tmp_path / name), settings)
        said = str(found).replace(str(tmp_path / name), "")
        assert (found.kind, said) == (
            missing.kind,
            str(missing).replace(str((tmp_path / there).with_name("nothing.mp4")), ""),
        )


@pytest.mark.parametrize(
    "path", ["/proc/self/fd/{}", "/proc/{}/environ", "/sys/nothing", "/dev/nothing"]
)
@pytest.mark.parametrize("folders", ["", "/"])
def test_the_kernels_files_are_played_by_nobody(
    clip: Path, tmp_path: Path, path: str, folders: str
) -> None:
    settings = load_settings({}, source_folders=folders)
    with clip.open("rb") as film:
        path = path.format(film.fileno() if "/fd/" in path else os.getpid())
        (tmp_path / "link.mp4").symlink_to(path)
        for name in (path, "/proc/../proc/" + path.removeprefix("/proc/"), f"{tmp_path}/../{path}"):
            if name.startswith(("/proc", "/sys", "/dev")):
                assert why_not(name, settings).kind == "forbidden"
        if "/fd/" not in path:
            assert why_not(str(tmp_path / "link.mp4"), settings).kind == "forbidden"


def test_a_file_that_was_deleted_is_not_played_through_somebody_who_has_it_open(
    clip: Path, tmp_path: Path
) -> None:
    upload = tmp_path / "upload.mp4"
    upload.write_bytes(clip.read_bytes())
    with upload.open("rb") as film:
        upload.unlink()
        (tmp_path / "link.mp4").symlink_to(f"/proc/{os.getpid()}/fd/{film.fileno()}")
        assert why_not(str(tmp_path / "link.mp4")).kind == "forbidden"


def test_what_is_opened_is_what_was_judged(
    ours: Settings, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is exchanged at the worst moment: once it was judged, before FFmpeg opens it."""
    path = tmp_path / "film.mp4"
    path.write_bytes(clip.read_bytes())
    real = FileReach.open

    def judged_and_exchanged(reach: FileReach, asked: str) -> int:
        descriptor = real(reach, asked)
        path.unlink()
        path.symlink_to(tmp_path / "keys" / "nothing.mp4")
        return descriptor

    monkeypatch.setattr(FileReach, "open", judged_and_exchanged)
    opened = open_source(str(path), ours, Patience())
    assert opened.info.width == 320
    opened.close()


def test_a_file_that_may_not_be_read_is_like_one_that_is_not_there(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(clip.read_bytes())
    real = os.open

    def refused(name: Any, flags: int, *rest: Any, **more: Any) -> int:
        if flags & os.O_PATH or not str(name).startswith("/proc/self/fd/"):
            return real(name, flags, *rest, **more)
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refused)
    found, missing = why_not(str(path)), why_not(str(tmp_path / "other.mp4"))
    assert (found.kind, str(found).replace("film", "other")) == (missing.kind, str(missing))


def test_a_quarter_of_the_attack_corpus_reaches_no_canary_and_is_refused_in_words() -> None:
    with prepared() as (place, camera):
        show_that_both_can_be_reached(place)
        findings = try_all(attempts(place, camera)[::4], place)
    assert findings.kinds.total() > 50
    assert findings.hits == []
    assert findings.unclear == []


def moved(to: str, status: int = 302) -> Reply:
    return Reply(status, "Moved", (("Location", to),))


@pytest.mark.parametrize("step", RTSP_STEPS)
def test_no_step_of_an_rtsp_camera_leads_to_a_forbidden_host(forbidden: Canary, step: str) -> None:
    lures = {
        301: f"rtsp://{CANARY_HOST}:{forbidden.port}/live",
        302: f"rtsps://user:p@{CANARY_HOST}:{forbidden.port}/live",
        303: f"rtsp://[::ffff:{CANARY_HOST}]:{forbidden.port}/live?tcp",
        305: f"rtsp://2130706434:{forbidden.port}/live",
        307: "rtsp://169.254.169.254:80/latest/meta-data/",
        308: "rtsp://metadata@168.63.129.16/",
    }
    with FaultyRtspCamera() as camera:
        for status, lure in lures.items():
            camera.begin(Answers(step, moved(lure, status)))
            error = why_not(camera.url)
            assert (error.kind, forbidden.connections) == ("forbidden", 0), lure
            assert f"{camera.url} redirects" in str(error)


@pytest.mark.parametrize(
    "lure", ["/etc/passwd", "file:///etc/passwd", "http://{canary}/", "", "x:"]
)
def test_an_rtsp_redirect_leads_to_rtsp_alone(forbidden: Canary, lure: str) -> None:
    lure = lure.format(canary=f"{CANARY_HOST}:{forbidden.port}")
    with FaultyRtspCamera() as camera:
        camera.begin(Answers("DESCRIBE", moved(lure)))
        error = why_not(camera.url)
    assert (error.kind, forbidden.connections) == ("redirect", 0)


def test_a_redirect_after_the_password_was_taken_or_amid_pictures_leads_nowhere_either(
    forbidden: Canary,
) -> None:
    lure = moved(f"rtsp://{CANARY_HOST}:{forbidden.port}/live")
    short = (("Transport", "RTP/AVP/TCP;unicast;interleaved=0-1"), ("Session", "4;timeout=2"))
    with FaultyRtspCamera() as camera:
        camera.begin(AnswersInTurn("DESCRIBE", [ASKS, lure]))
        assert why_not(with_login(camera.url, "admin", "s3cret")).kind == "forbidden"
        camera.begin(
            Several(Answers("SETUP", Reply(200, "OK", short)), Answers("GET_PARAMETER", lure))
        )
        opened = open_source(camera.url, SETTINGS, Patience())
        with pytest.raises(SourceError) as caught:
            for _ in opened.frames():
                pass
        opened.close()
    assert (caught.value.kind, forbidden.connections) == ("ended", 0)


@pytest.mark.parametrize(
    "said",
    [
        "RTSP/1.0 \x00302 Found\r\nCSeq: 1\r\nLocation: {lure}\r\n\r\n",
        "RTSP/1.0  302 Found\nCSeq: 1\nlocation:{lure}\n\n",
        "\r\n\r\nRTSP/9.9 302\r\nCSeq: 1\r\nLocation : {lure}\r\n\r\n",
        "$\1\0\4aaaaRTSP/1.0 302 Found\r\nCSeq: 1\r\nLocation: {lure}\r\n\r\n",
        "RTSP/1.0 200 OK\r\nCSeq: 1\r\nLocation: {lure}\r\nContent-Length: 2\r\n\r\nhi"
        "RTSP/1.0 302 Found\r\nCSeq: 2\r\nLocation: {lure}\r\n\r\n",
        "RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 1\r\nContent-Length: 400\r\n\r\n"
        "RTSP/1.0 302 Found\r\nCSeq: 2\r\nLocation: {lure}\r\n\r\n",
        "RTSP/1.0 200 RTSP/1.0 302\r\nCSeq: 1\r\nX: y\rLocation: {lure}\r\n\r\n",
        "RTSP/1.0 302 Found\r\nCSeq: 99\r\nLocation: {lure}\r\n\r\n",
        "REDIRECT {lure} RTSP/1.0\r\nCSeq: 1\r\nLocation: {lure}\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: {lure}\r\n\r\n",
    ],
)
def test_a_redirect_in_disguise_is_seen_too(forbidden: Canary, said: str) -> None:
    lure = f"rtsp://{CANARY_HOST}:{forbidden.port}/live"
    with FaultyRtspCamera() as camera:
        camera.begin(Utters("OPTIONS", said.replace("{lure}", lure).encode()))
        assert str(why_not(camera.url))
    assert forbidden.connections == 0


def test_an_rtsp_redirect_to_an_allowed_host_is_followed_and_passwords_stay_behind() -> None:
    with FaultyRtspCamera() as first, FaultyRtspCamera(host="127.0.0.3") as other:
        other.begin(AnswersInTurn("DESCRIBE", [ASKS]))
        first.begin(Answers("DESCRIBE", moved(other.url)))
        error = why_not(with_login(first.url, "admin", "s3cret"))
        assert (error.kind, "does not pass them on" in str(error)) == ("authentication", True)
        assert not any("authorization" in request.headers for request in other.requests)
        opened = open_source(first.url, SETTINGS, Patience())  # now it plays to anybody
        assert next(opened.frames()).image(160).shape[1] == 160
        opened.close()


def test_an_rtsp_redirect_on_the_same_host_keeps_the_password() -> None:
    with FaultyRtspCamera() as first, FaultyRtspCamera() as other:
        other.begin(AnswersInTurn("DESCRIBE", [ASKS]))
        first.begin(Answers("DESCRIBE", moved(other.url)))
        open_source(with_login(first.url, "admin", "s3cret"), SETTINGS, Patience()).close()
        assert any("authorization" in request.headers for request in other.requests)


@pytest.mark.parametrize("step", ["DESCRIBE", "PLAY"])
def test_rtsp_redirects_in_a_circle_end_and_are_told(step: str) -> None:
    with FaultyRtspCamera() as camera, FaultyRtspCamera() as other:
        camera.begin(Answers(step, moved(other.url)))
        other.begin(Answers(step, moved(camera.url)))
        error = why_not(camera.url)
        assert (error.kind, camera.connections + other.connections) == ("redirect", 9)


def test_a_redirect_within_tls_is_seen_too(forbidden: Canary, tmp_path: Path) -> None:
    with FaultyRtspCamera(tls=Authority(tmp_path, "camera").server_context()) as camera:
        opened = open_source(camera.url, SETTINGS, Patience())
        assert next(opened.frames()).image(160).shape[1] == 160
        opened.close()
        camera.begin(Answers("DESCRIBE", moved(f"rtsps://{CANARY_HOST}:{forbidden.port}/live")))
        assert (why_not(camera.url).kind, forbidden.connections) == ("forbidden", 0)
