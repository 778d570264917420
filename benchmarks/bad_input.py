"""The message a user sees for each kind of bad input (result 6 of "First light").

python -m benchmarks.bad_input

Every case is put to the running system or command as a user would; what is printed is the answer.
"""

from __future__ import annotations

import http.server
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np

from benchmarks.system import (
    ROOT,
    System,
    clip,
    free_port,
    print_result,
    running_system,
    wait_until,
)
from bus.keys import CameraKeys
from bus.stores.status import StatusStore
from contract.cameras.status import CameraStatus
from models.files import known_file
from tests.servers.rtsp import rtsp_server

PASSWORD = "p@ss:w/rd?#1"  # noqa: S105 - the test server's


def main() -> None:
    cases: dict[str, tuple[Callable[[], str], str]] = {
        "an unknown setting": (unknown_setting, "Did you mean"),
        "a model file with a wrong checksum": (wrong_checksum, "expected sha256"),
    }
    for what, (show, words) in cases.items():
        message = show()
        say(what, message, f"status 2, {words}", "(status 2)" in message and words in message)
    walkers = {"walkers": clip("walkers_360p.mp4")}
    with (
        tempfile.TemporaryDirectory() as folder,
        rtsp_server(walkers, user="operator", password=PASSWORD) as rtsp_url,
        web_page() as page_url,
        running_system() as system,
    ):
        host = rtsp_url.removeprefix("rtsp://")
        sources = {
            "a wrong password": (f"rtsp://operator:wrong@{host}/walkers", "authentication"),
            "an unknown host": ("rtsp://no-such-camera.invalid/live", "host_not_found"),
            "a closed port": (f"rtsp://127.0.0.1:{free_port()}/live", "refused"),
            "a stream that is not there": (
                f"rtsp://operator:{PASSWORD}@{host}/nothing",
                "not_found",
            ),
            "a web page instead of video": (page_url, "no_video"),
            "a truncated file": (str(truncated(Path(folder))), "no_video"),
            "a codec that cannot be decoded": (str(odd_codec(Path(folder))), "unsupported_codec"),
        }
        for what, (source, kind) in sources.items():
            status = state_of(system, what, source)
            say(what, f"[{status.error_kind}] {status.error}", kind, status.error_kind == kind)
        right = f"rtsp://operator:{PASSWORD}@{host}/walkers"
        status = state_of(system, "the right password", right, wanted="live")
        say("(the right password)", f"{status.state} {status.codec}", "", status.state == "live")
        say("a garbage entry in a frame stream", garbage(system), "")
        log = system.log.read_text()
        leaked = [secret for secret in ("wrong@", PASSWORD) if secret in log]
        print_result("6 passwords in the log", len(leaked), "", "0", not leaked)


def say(what: str, message: str, kind: str, met: bool | None = None) -> None:
    print(f"\n{what}:\n    {message}")
    print_result(
        f"6 {what}", message[:60], "", kind or "a message", bool(message) and met is not False
    )


def unknown_setting() -> str:
    return command({"MASKWATCH_STALENESS_BUDGET": "1"}, "run")


def wrong_checksum() -> str:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / known_file("face-detector").file_name).write_bytes(b"not the network")
        return command({"MASKWATCH_MODELS_DIR": folder, "MASKWATCH_PORT": str(free_port())}, "run")


def command(environment: dict[str, str], *arguments: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-m", "maskwatch", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return f"(status {ended.returncode}) {ended.stderr.strip()}"


def state_of(
    system: System, name: str, source: str, wanted: str = "offline", timeout_s: float = 30
) -> CameraStatus:
    """Register a camera and return its state once it is `wanted` (with a reason if offline)."""
    answer = system.call("POST", "/api/v1/cameras", {"name": name, "source": source})
    [camera] = [camera for camera in system.cameras() if camera.id == answer["id"]]

    def status() -> CameraStatus:
        return StatusStore(system.redis).read([camera])[camera.id]

    def reached() -> bool:
        now = status()
        return now.state == wanted and (wanted == "live" or now.error_kind not in {"", "no_ingest"})

    wait_until(reached, timeout_s, f"{name}: {wanted}", system)
    return status()


def garbage(system: System) -> str:
    camera = next(camera for camera in system.cameras() if camera.source.startswith("demo:"))
    system.redis.xadd(CameraKeys(camera.id).frames, {"v": "1", "jpeg": "\x00garbage"})
    wait_until(
        lambda: system.totals(camera).get("dropped:malformed"),
        20,
        "the entry to be counted",
        system,
    )
    before = system.totals(camera)["frames:analysed"]
    wait_until(
        lambda: system.totals(camera)["frames:analysed"] > before + 5, 20, "frames after it", system
    )
    time.sleep(0.5)
    lines = system.log.read_text().splitlines()
    return next(line for line in lines if "is not a frame" in line)


@contextmanager
def web_page() -> Iterator[str]:
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"<html><body>Please sign in to your camera</body></html>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/login"
    finally:
        server.shutdown()


def truncated(folder: Path) -> Path:
    path = folder / "truncated.mp4"
    path.write_bytes(clip("walkers_360p.mp4").read_bytes()[:20_000])
    return path


def odd_codec(folder: Path) -> Path:
    """A video whose codec tag names a codec that nobody has."""
    path = folder / "odd.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for _ in range(5):
            grey = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), "bgr24")
            container.mux(stream.encode(grey))
        container.mux(stream.encode())
    path.write_bytes(path.read_bytes().replace(b"MJPG", b"XQZ9"))
    return path


if __name__ == "__main__":
    main()
