"""Attacks by what the product is led to open, and what it speaks to unasked.

Playlists that make a reader listen or connect where it may not, a reader's way to its camera used
by others on the machine, a GPU that is not there, and everything that leaves for somebody whom
nobody named (that part needs root and `ip`).
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

import psutil

from benchmarks import calling_home
from benchmarks.attacks.report import Attack, attacked_checkout, print_attack
from benchmarks.hosts.namespaces import why_not
from benchmarks.system import System, free_port, running_system, wait_until
from bus.server.embedded import EmbeddedRedis
from runtime.stopping import die_with_parent
from tests.servers.clips import make_clip
from tests.servers.hostile import CANARY_HOST, Canary, canary, hostile_camera
from tests.servers.http import http_cameras

WATCHED_S: Final = 20.0
"""How long cameras with hostile playlists are read: several attempts of each."""
HEAD: Final = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n"
END: Final = "#EXT-X-ENDLIST\n"
FORMS: Final = {
    "segment": HEAD + "#EXTINF:2.0,\n{lure}\n" + END,
    "playlist": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\n{lure}\n",
    "key": HEAD + '#EXT-X-KEY:METHOD=AES-128,URI="{lure}"\n#EXTINF:2.0,\na.ts\n' + END,
    "header": HEAD + '#EXT-X-MAP:URI="{lure}"\n#EXTINF:2.0,\na.ts\n' + END,
}
WITHOUT_DRIVER: Final = """
import sys
if "worker" in sys.orig_argv:
    import onnxruntime
    onnxruntime.get_available_providers = lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
"""
"""Has ONNX Runtime offer CUDA, as onnxruntime-gpu does on a machine without a driver."""


def attacks(checkout: Path) -> Iterator[Attack]:
    """Try all of them on the product of a checkout."""
    with tempfile.TemporaryDirectory(prefix="outward-") as folder, ExitStack() as stack:
        clip = make_clip(Path(folder) / "clip.mp4")
        there = stack.enter_context(canary(clip))
        refused = {"MASKWATCH_SOURCE_HOSTS_REFUSED": f"{CANARY_HOST}/32"}
        system = stack.enter_context(running_system(refused, checkout=checkout))
        yield from _playlists(system, there)
        yield _strangers_way(system)
        stack.close()
        yield _gpu_that_is_not_there(checkout, Path(folder))
    if not why_not():
        yield from calling_home.attacks(checkout)


def _playlists(system: System, there: Canary) -> Iterator[Attack]:
    """Cameras whose playlists name what no camera is."""
    listening = free_port()
    lures = {
        "listen": f"tcp://0.0.0.0:{listening}?listen=1",
        "tcp": f"tcp://{CANARY_HOST}:{there.port}",
        "tls": f"tls://{CANARY_HOST}:{there.port}",
        "httpproxy": f"httpproxy://{CANARY_HOST}:{there.port}/a:1",
        "http": f"http://{CANARY_HOST}:{there.port}/a.ts",
    }
    kind = "application/vnd.apple.mpegurl"
    answers = {
        f"/{name}-{form}.m3u8": (200, kind, text.replace("{lure}", lure))
        for name, lure in lures.items()
        for form, text in FORMS.items()
    }
    with hostile_camera({**answers, "/a.ts": (200, "video/mp2t", "x" * 376)}) as camera:
        for path in answers:
            body = {"name": path.strip("/"), "source": f"{camera}{path}"}
            system.call("POST", "/api/v1/cameras", body)
        let_in = _knock(listening, WATCHED_S)
        for one in system.call("GET", "/api/v1/cameras")["cameras"]:
            system.call("DELETE", f"/api/v1/cameras/{one['id']}")
    seen = f"{let_in} connections let in on 0.0.0.0:{listening} in {WATCHED_S:.0f} s"
    yield Attack(10, "a playlist makes a reader listen", let_in == 0, seen)
    seen = f"{there.connections} connections to a refused address, from {len(answers)} playlists"
    yield Attack(10, "a playlist reaches a refused address", there.connections == 0, seen)


def _knock(port: int, seconds: float) -> int:
    """Connect to a port again and again; return how often somebody was there."""
    let_in, ends_s = 0, time.monotonic() + seconds
    while time.monotonic() < ends_s:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            let_in += 1
        time.sleep(0.05)
    return let_in


def _strangers_way(system: System) -> Attack:
    """Another user of the machine asks through whatever a reader listens on."""
    with http_cameras() as cameras, http_cameras() as goal:
        system.call("POST", "/api/v1/cameras", {"name": "near", "source": f"{cameras}/mjpeg"})
        [camera] = system.cameras()
        wait_until(
            lambda: system.totals(camera).get("frames:analysed", 0) > 3, 60, "frames", system
        )
        doors = sorted(_listening(system))
        opened = [port for port in doors if _asked_through(port, f"{goal}/page")]
    seen = f"{len(doors)} ports of readers listen on the loopback; {len(opened)} carried a request"
    return Attack(15, "a stranger uses a reader's way to its camera", not opened, seen)


def _listening(system: System) -> set[int]:
    """Ports that ingest and its readers listen on."""
    found = set()
    for role, processes in system.processes().items():
        for process in processes if role.startswith("ingest") else ():
            with suppress(psutil.Error):
                for one in process.net_connections("tcp"):
                    if one.status == psutil.CONN_LISTEN:
                        found.add(one.laddr.port)
    return found


def _asked_through(port: int, url: str) -> bool:
    """Whether a port answers a proxy's request with the page that was asked for."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 2) as connection:
        connection.sendall(f"GET {url} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        return b"Camera login" in connection.recv(65536)
    return False


def _gpu_that_is_not_there(checkout: Path, folder: Path) -> Attack:
    """A worker that is to use a GPU, where ONNX Runtime offers it and has no driver."""
    (folder / "sitecustomize.py").write_text(WITHOUT_DRIVER)
    server = EmbeddedRedis(folder / "redis")
    server.start()
    environment = {
        **os.environ,
        "PYTHONPATH": f"{folder}:{checkout}",
        "MASKWATCH_REDIS_URL": server.url,
        "MASKWATCH_STATE_DIR": str(folder),
        "MASKWATCH_DEVICE": "cuda",
    }
    log = folder / "worker.log"
    with log.open("wb") as out:
        worker = subprocess.Popen(
            [sys.executable, "-m", "worker"],
            cwd=checkout,
            env=environment,
            stdout=out,
            stderr=out,
            preexec_fn=die_with_parent,
        )
    try:
        wait_until(
            lambda: worker.poll() is not None or b"runs on" in log.read_bytes(), 60, "the worker"
        )
    finally:
        worker.terminate()
        worker.wait(15)
        server.stop()
    lines = log.read_text(errors="replace").splitlines()
    [*_, told] = [line for line in lines if "runs on" in line or "cuda" in line] or ["nothing said"]
    return Attack(
        14, "a GPU is demanded that is not there", "device is 'cuda'" in told, told[-160:]
    )


def main() -> None:
    for attack in attacks(attacked_checkout(__doc__ or "")):
        print_attack(attack)


if __name__ == "__main__":
    main()
