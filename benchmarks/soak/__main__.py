"""Hours of five cameras with faults injected at random (result F5).

python -m benchmarks.soak [--minutes 60] [--seed 1] [--fps 5] [--out out/soak]
python -m benchmarks.soak --report-only --out out/soak

Three RTSP cameras and two films, two workers, two ingest processes, people who come and go; faults
of `benchmarks.soak.faults` one after the other. Samples and faults are written to files as they
come; the report is made of those files, and again of them with `--report-only`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from benchmarks.failover import all_fresh
from benchmarks.five_cameras import FILE_CLIPS, RTSP_CLIPS
from benchmarks.hosts.slow_link import slow_link
from benchmarks.soak.faults import Injector, Rig, look_after
from benchmarks.soak.report import write_report
from benchmarks.soak.samples import Sampler
from benchmarks.soak.viewers import viewers
from benchmarks.system import clip, machine, running_system, wait_until
from bus.server.embedded import EmbeddedRedis
from tests.servers.rtsp import RtspServer

QUIET_S: Final = 60.0
"""Left alone at first, viewers aside."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fps", type=float, default=5.0)
    parser.add_argument("--warm-up", type=float, default=300.0, help="seconds, of every process")
    parser.add_argument("--out", type=Path, default=Path("out/soak"))
    parser.add_argument("--report-only", action="store_true")
    options = parser.parse_args()
    if not options.report_only:
        begin(options.out, options)
        soak(options.out, options.minutes, options.seed, options.fps)
    write_report(options.out)


def begin(folder: Path, options: argparse.Namespace) -> None:
    """Empty the folder of an earlier soak, and note how this one is run."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("samples.jsonl", "faults.jsonl", "run.log"):
        (folder / name).unlink(missing_ok=True)
        (folder / name).touch()
    notes = {
        "machine": machine(),
        "minutes": options.minutes,
        "seed": options.seed,
        "fps": options.fps,
        "warm_up_s": options.warm_up,
        "began_s": time.time(),
    }
    (folder / "soak.json").write_text(json.dumps(notes))


def soak(folder: Path, minutes: float, seed: int, fps: float) -> None:
    """Run it, and write samples and faults as they come."""
    with rigged(fps) as rig, viewers(rig.system, [one.id for one in rig.cameras], seed) as audience:
        stop = threading.Event()
        keeper = threading.Thread(target=look_after, args=(rig, stop))
        keeper.start()
        sampler = Sampler(rig, audience, folder)
        sampler.start()
        try:
            time.sleep(QUIET_S)
            Injector(rig, seed, folder / "faults.jsonl").run(minutes * 60)
        finally:
            sampler.stop()
            stop.set()
            keeper.join()


@contextmanager
def rigged(fps: float) -> Iterator[Rig]:
    """The running system with its cameras, and a hold on all that faults are done to."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-")))
        servers = {
            name: RtspServer({name: clip(file)}, folder) for name, file in RTSP_CLIPS.items()
        }
        for server in servers.values():
            server.start()
            stack.callback(server.kill)
        redis = EmbeddedRedis(folder / "redis")
        redis.start()
        stack.callback(redis.stop)
        link = stack.enter_context(slow_link(redis.socket_path))
        sources = {name: f"{server.url}/{name}" for name, server in servers.items()}
        sources |= {file.removesuffix(".mp4"): str(clip(file)) for file in FILE_CLIPS}
        environment = {
            "CAMERAS": " ".join(f"{name}={source}" for name, source in sources.items()),
            "MASKWATCH_REDIS_URL": link.url,
            "MASKWATCH_WORKERS": "2",
            "MASKWATCH_INGESTS": "2",
        }
        system = stack.enter_context(running_system(environment, redis.url))
        for camera in system.cameras():
            system.call("PATCH", f"/api/v1/cameras/{camera.id}", {"analysis_fps": fps})
        cameras = system.cameras()
        wait_until(lambda: all_fresh(system, cameras, 0.0), 60, "all cameras", system)
        yield Rig(system, cameras, servers, redis, link, threading.Lock())


if __name__ == "__main__":
    main()
