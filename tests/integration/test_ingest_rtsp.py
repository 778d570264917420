"""What stands between FFmpeg and an RTSP camera: names, passwords, TLS, UDP, and who may listen."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import av
import psutil
import pytest

from ingest.captured import OpenSource
from ingest.reach.address import parse_source
from ingest.reach.reach import Reach
from ingest.rtsp.messages import Splitter, packet, packets
from ingest.rtsp.relay import RtspRelay
from ingest.rtsp.udp import UdpStream
from ingest.sources.opening import Opening, ffmpeg_options
from ingest.sources.source import open_source
from runtime.settings import load_settings
from tests.integration.test_ingest_reach import Patience, why_not
from tests.servers.camera_faults import Answers, AnswersInTurn, Corrupts, Reply, Stalls
from tests.servers.certificates import Authority
from tests.servers.clips import make_clip
from tests.servers.faulty_rtsp import FaultyRtspCamera
from tests.servers.hostile import hostile_camera
from tests.servers.ingest_process import eventually
from tests.servers.rtsp import rtsp_server, with_login

SETTINGS = load_settings(open_timeout_s=4, read_timeout_s=3)
ODD = 'p@:/w"d ä'


def opened(source: str) -> OpenSource:
    return open_source(source, SETTINGS, Patience())


def asks(*challenges: str) -> Reply:
    return Reply(401, "Unauthorized", tuple(("WWW-Authenticate", one) for one in challenges))


def test_a_camera_is_asked_by_its_own_name_and_ffmpeg_knows_neither_name_nor_password() -> None:
    reach = Reach(resolve=lambda host, port: ["127.0.0.1"])
    with FaultyRtspCamera() as camera:
        camera.begin(AnswersInTurn("DESCRIBE", [asks('Digest realm="gate", nonce="7"')]))
        named = f"rtsp://admin:{ODD}@gate.example:{camera.port}/live?channel=1"
        opening = Opening(parse_source(named), SETTINGS, reach)
        container = opening.open()
        assert "gate.example" not in container.name
        container.close()
        opening.close()
        asked = f"rtsp://gate.example:{camera.port}/live?channel=1"
        assert [one.url for one in camera.requests[:3]] == [asked] * 3
        assert f'uri="{asked}"' in camera.requests[2].headers["authorization"]


@pytest.mark.parametrize(
    ("challenges", "scheme"),
    [
        (['Basic realm="c"'], "Basic"),
        (['Basic realm="c"', 'Digest realm="c", nonce="n", qop="auth-int, auth"'], "Digest"),
        (['Digest realm="c", nonce="n", algorithm=SHA-256', 'Basic realm="c"'], "Digest"),
        (['Digest realm="c", nonce="n", algorithm=Unheard', 'Basic realm="c"'], "Basic"),
    ],
)
def test_a_camera_gets_the_best_answer_that_it_understands(
    challenges: list[str], scheme: str
) -> None:
    with FaultyRtspCamera() as camera:
        camera.begin(AnswersInTurn("DESCRIBE", [asks(*challenges)]))
        opened(with_login(camera.url, "admin", ODD)).close()
        assert camera.requests[2].headers["authorization"].startswith(f"{scheme} ")
        assert eventually(lambda: camera.requests[-1].method == "TEARDOWN")


def test_a_wrong_password_is_tried_once_a_connection_and_a_nonce_that_is_old_again() -> None:
    with FaultyRtspCamera() as camera:
        camera.begin(Answers("DESCRIBE", asks('Digest realm="c", nonce="n"')))
        assert why_not(with_login(camera.url, "admin", "no")).kind == "authentication"
        assert sum("authorization" in one.headers for one in camera.requests) == 1
        stale = asks('Digest realm="c", nonce="o", stale=TRUE')
        camera.begin(AnswersInTurn("DESCRIBE", [asks('Digest realm="c", nonce="n"'), stale]))
        opened(with_login(camera.url, "admin", ODD)).close()
        camera.begin(AnswersInTurn("PLAY", [stale]))
        opened(with_login(camera.url, "admin", ODD)).close()


def test_tls_hides_pictures_and_what_is_no_tls_is_told(tmp_path: Path) -> None:
    with FaultyRtspCamera(tls=Authority(tmp_path, "camera").server_context()) as camera:
        camera.begin(AnswersInTurn("DESCRIBE", [asks('Basic realm="c"')]))
        source = opened(with_login(camera.url, "admin", ODD))
        assert next(source.frames()).image(160).shape[1] == 160
        source.close()
    with hostile_camera({}) as plain:
        error = why_not(plain.replace("http:", "rtsps:"))
    assert (error.kind, "without TLS" in str(error)) == ("no_video", True)


def test_a_camera_that_refuses_tcp_is_read_over_udp(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    with rtsp_server({"hall": clip}, "admin", "s3cret", digest=True, udp=True) as url:
        source = opened(with_login(f"{url}/hall", "admin", "s3cret"))
        frames = [frame for frame, _ in zip(source.frames(), range(30), strict=False)]
        source.close()
    assert len(frames) == 30


def test_over_udp_damage_is_told_and_the_camera_hears_when_its_viewer_leaves() -> None:
    with FaultyRtspCamera(udp=True) as camera:
        source = opened(camera.url)
        frames = source.frames()
        for _ in range(30):
            next(frames)
        assert source.health.notice() is None
        camera.begin(Corrupts(1.0))
        assert eventually(lambda: bool(next(frames)) and source.health.notice() is not None)
        source.close()
        assert eventually(lambda: camera.requests[-1].method == "TEARDOWN")


def test_only_the_cameras_own_packets_are_taken_and_put_in_their_order() -> None:
    with socket.create_server(("127.0.0.1", 0)) as camera:
        with socket.create_connection(camera.getsockname()) as control:
            stream = UdpStream(control, "RTP/AVP/TCP;unicast;interleaved=2-3")
        sent = [b"\x80\x60" + number.to_bytes(2, "big") for number in (65534, 0, 65535, 1)]
        for host, some in (("127.0.0.3", [b"\x80\x60\0\0forged"]), ("127.0.0.1", sent)):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.bind((host, 0))
                for one in some:
                    sender.sendto(one, stream.sockets[0].getsockname())
        run = stream.received()
        for odd in ("server_port=" + "9" * 5000, "server_port=99999", "server_port=-1", ""):
            stream.agreed(odd)  # names no port, and nothing is sent
            stream.report(3, b"report")
        stream.close()
    assert [one for _, one in packets(run)] == [sent[0], sent[2], sent[1], sent[3]]
    assert {channel for channel, _ in packets(run)} == {2}


def test_silence_over_udp_is_told_with_the_firewall_in_mind_and_tls_never_falls_back_to_it(
    tmp_path: Path,
) -> None:
    with FaultyRtspCamera(udp=True) as camera:
        camera.begin(Stalls())
        error = why_not(camera.url, load_settings(open_timeout_s=4, read_timeout_s=1))
        assert (error.kind, "firewall" in str(error)) == ("timeout", True)
    with FaultyRtspCamera(udp=True, tls=Authority(tmp_path, "c").server_context()) as camera:
        assert why_not(camera.url).kind == "rejected"
        assert camera.viewers == []


def test_nobody_else_on_this_machine_gets_a_cameras_pictures() -> None:
    with FaultyRtspCamera() as camera:
        address = parse_source(camera.url)
        relay = RtspRelay(address, Reach())
        relay.start(3.0)
        port = parse_source(relay.url).port
        for said in (
            b"OPTIONS rtsp://127.0.0.1/ RTSP/1.0\r\nCSeq: 1\r\n\r\n",
            b"GET / HTTP/1.0\r\n",
        ):
            with socket.create_connection(("127.0.0.1", port), 10) as stranger:
                stranger.sendall(said)
                assert stranger.recv(100) == b""
        av.open(relay.url, options=ffmpeg_options(address, SETTINGS)).close()
        relay.close()
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", port), 1)


def test_a_camera_waits_for_who_reads_slowly_and_nothing_of_its_last_words_is_lost() -> None:
    count, sent = 6000, [0]

    def flood(listener: socket.socket) -> None:
        viewer, _ = listener.accept()
        with viewer:
            viewer.recv(1000)
            viewer.sendall(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n")
            for number in range(count):
                viewer.sendall(packet(0, number.to_bytes(2, "big") + bytes(9998)))
                sent[0] = number + 1

    def waits() -> bool:
        before = sent[0]
        time.sleep(0.3)
        return 0 < before == sent[0]

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=flood, args=(listener,), daemon=True).start()
        port = listener.getsockname()[1]
        relay = RtspRelay(parse_source(f"rtsp://127.0.0.1:{port}/live"), Reach())
        relay.start(10.0)
        there = ("127.0.0.1", parse_source(relay.url).port)
        with socket.create_connection(there, 30) as viewer, viewer.makefile("rb") as stream:
            viewer.sendall(f"OPTIONS {relay.url} RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode())
            assert eventually(waits)
            assert sent[0] < count
            found = list(Splitter().feed(stream.read()))
        relay.close()
    runs = b"".join(one for one in found if isinstance(one, bytes))
    numbers = [int.from_bytes(payload[:2], "big") for _, payload in packets(runs)]
    assert numbers == list(range(count))


def test_connections_leave_no_threads_or_sockets_behind(tmp_path: Path) -> None:
    def held() -> tuple[int, int]:
        relays = [one for one in threading.enumerate() if one.name == "rtsp relay"]
        return len(relays), psutil.Process().num_fds()

    with FaultyRtspCamera() as camera, FaultyRtspCamera(udp=True) as other:
        opened(camera.url).close()
        opened(other.url).close()
        assert eventually(lambda: held()[0] == 0)
    before = held()
    with FaultyRtspCamera() as camera, FaultyRtspCamera(udp=True) as other:
        for reply in (404, 302, 461):
            camera.begin(Answers("SETUP", Reply(reply, "no")))
            for _ in range(3):
                assert why_not(camera.url)
        camera.end()
        for _ in range(3):
            opened(camera.url).close()
            opened(other.url).close()
    assert eventually(lambda: held() <= before)
