"""What it costs to stand between FFmpeg and an RTSP camera, in processor time of a reader.

python -m benchmarks.rtsp_relay [--seconds 20] [--rounds 3]

Reads the concourse (1920x1080, 25 frames a second, H.264), which GStreamer serves in a process of
its own, as ingest does (through `ingest.rtsp.relay`), and as FFmpeg would by itself; in turns, each
in a new process. Of each: processor time a second from the first frame on, all threads, reading
alone and with every frame decoded.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from multiprocessing.connection import Connection
from statistics import median
from typing import Final, Literal

import av

from benchmarks.system import clip, machine, print_result
from ingest.reach.address import parse_source
from ingest.sources.opening import Opening, ffmpeg_options
from runtime.settings import load_settings
from tests.servers.rtsp import rtsp_server

Way = Literal["by itself", "relay"]
WAYS: Final[tuple[Way, ...]] = ("by itself", "relay")
MOST_RATIO: Final = 1.1
"""Of a reader that decodes every frame, with the relay against without."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(f"{machine()}; {options.rounds} rounds of {options.seconds:g} s")
    found: dict[tuple[bool, Way], list[float]] = {}
    with rtsp_server({"concourse": clip("concourse_1080p.mp4")}) as url:
        for _ in range(options.rounds):
            for decodes in (False, True):
                for way in WAYS:
                    share = measured(f"{url}/concourse", way, decodes, options.seconds)
                    found.setdefault((decodes, way), []).append(share)
    for (decodes, way), shares in found.items():
        what = "read and decoded" if decodes else "read"
        each = ", ".join(f"{100 * share:.2f}" for share in shares)
        print(f"{what}, {way}: {100 * median(shares):.2f} % of a core ({each})")
    report(found)


def report(found: dict[tuple[bool, Way], list[float]]) -> None:
    for decodes, name in ((False, "read"), (True, "read and decoded")):
        own, ours = median(found[decodes, "by itself"]), median(found[decodes, "relay"])
        print_result(
            f"RTSP relay, {name}",
            round(100 * (ours - own), 2),
            "% of a core more",
            "<= 2",
            ours - own <= 0.02,
        )
    ratio = median(found[True, "relay"]) / median(found[True, "by itself"])
    print_result(
        "RTSP relay",
        round(ratio, 3),
        "times the processor time",
        f"<= {MOST_RATIO}",
        ratio <= MOST_RATIO,
    )


def measured(url: str, way: Way, decodes: bool, seconds: float) -> float:
    """Processor seconds a second of a new process that reads `url`."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_read, args=(there, url, way, decodes, seconds))
    process.start()
    share: float = here.recv()
    process.join()
    return share


def _read(answer: Connection, url: str, way: Way, decodes: bool, seconds: float) -> None:
    settings, address = load_settings({}), parse_source(url)
    opening = Opening(address, settings)
    if way == "by itself":
        container = av.open(url, options=ffmpeg_options(address, settings))
    else:
        container = opening.open()
    stream = container.streams.video[0]
    stream.thread_type = "NONE"
    began_s = began_cpu_s = 0.0
    for packet in container.demux(stream):
        if not began_s:
            began_s, began_cpu_s = time.monotonic(), time.process_time()
        if decodes:
            packet.decode()
        if time.monotonic() - began_s >= seconds:
            break
    answer.send((time.process_time() - began_cpu_s) / (time.monotonic() - began_s))
    container.close()
    opening.close()


if __name__ == "__main__":
    main()
