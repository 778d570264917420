"""The same faults in a film that a real RTSP server plays to the whole running system (C7, live).

python -m benchmarks.camera_quality_live

The concourse, 640x360, in H.264 (CRF 23, a key frame every 2 s), with 15 s each of a frozen, black,
blurred and turned camera between stretches where all is well. A frozen picture is encoded
anew like any other, key frames and all. Seconds count from when a fault enters the film to when
the API says so; the film begins when the first frame is captured, which can be two seconds late.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np

from benchmarks.camera_quality import LoopedClip
from benchmarks.scenes.injections import Image, Injection, injections
from benchmarks.system import System, machine, print_result, running_system, wait_until
from tests.servers.rtsp import rtsp_server

FPS: Final = 25
SIZE: Final = (640, 360)
FIRST_WELL_S: Final = 50.0
FAULT_S: Final = 15.0
WELL_S: Final = 12.0
FAULTS: Final = ("frozen", "black", "blurred by 3 px in 640", "moved 10 % right")


def main() -> None:
    faults = [one for one in injections(moved=True) if one.name in FAULTS]
    with tempfile.TemporaryDirectory() as folder:
        film = write_film(Path(folder) / "faults.mp4", faults)
        with rtsp_server({"faults": film}) as base_url, running_system() as system:
            for camera in system.cameras():
                system.call("DELETE", f"/api/v1/cameras/{camera.id}")
            body = {"name": "faults", "source": f"{base_url}/faults", "analysis_fps": 8}
            camera_id = system.call("POST", "/api/v1/cameras", body)["id"]
            report(faults, watch(system, camera_id, film_s(faults)))


def film_s(faults: list[Injection]) -> float:
    """Length of the film in seconds."""
    return FIRST_WELL_S + len(faults) * (FAULT_S + WELL_S)


def write_film(path: Path, faults: list[Injection]) -> Path:
    """Encode the film."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.codec_context.time_base = Fraction(1, FPS)
        stream.options = {"preset": "veryfast", "crf": "23", "g": str(2 * FPS), "bf": "0"}
        for picture in pictures(faults):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())
    return path


def pictures(faults: list[Injection]) -> Iterator[Image]:
    """Yield the film's pictures."""
    concourse = LoopedClip("concourse_1080p")
    for number in range(round(film_s(faults) * FPS)):
        time_s = number / FPS
        whole = cv2.resize(concourse.at(time_s), SIZE, interpolation=cv2.INTER_AREA)
        picture = np.asarray(whole, np.uint8)
        index, since_s = divmod(time_s - FIRST_WELL_S, FAULT_S + WELL_S)
        happens = time_s >= FIRST_WELL_S and since_s < FAULT_S
        yield faults[int(index)].change(picture, since_s) if happens else picture


def watch(system: System, camera_id: str, seconds: float) -> list[tuple[float, set[str]]]:
    """Return times in the film, and what the API said was wrong then."""

    def picture_at_s() -> float | None:
        at_s: float | None = system.call("GET", f"/api/v1/cameras/{camera_id}")["picture_at_s"]
        return at_s

    wait_until(picture_at_s, 60, "the first picture", system)
    began_s, said = picture_at_s() or time.time(), list[tuple[float, set[str]]]()
    while (film_at_s := time.time() - began_s) < seconds - 1:
        quality = system.call("GET", f"/api/v1/cameras/{camera_id}")["quality"]
        said.append((film_at_s, {one["problem"] for one in quality["problems"]}))
        time.sleep(0.2)
    return said


def report(faults: list[Injection], said: list[tuple[float, set[str]]]) -> None:
    """Print when each fault was said, and what was said while all was well."""
    print(machine())
    false: set[str] = set()
    edges = [FIRST_WELL_S + number * (FAULT_S + WELL_S) for number in range(len(faults))]
    for injected, from_s in zip(faults, edges, strict=True):
        delays_s = [
            at_s - from_s
            for at_s, problems in said
            if from_s <= at_s < from_s + FAULT_S and problems & injected.expected
        ]
        first_s = round(min(delays_s), 1) if delays_s else None
        met = first_s is not None and first_s <= 10
        print_result(f"C7 live, {injected.name}", first_s, "s", "<= 10", met)
    for at_s, problems in said:
        # Some seconds pass until a fault that is over is taken back.
        if not any(from_s <= at_s < from_s + FAULT_S + 7 for from_s in edges):
            false |= problems
    print_result("C7 live, said while all was well", sorted(false), "problems", "none", not false)


if __name__ == "__main__":
    main()
