"""B: what a frame costs from end to end, against the bare networks and codecs on the same frames.

python -m benchmarks.against_limit [--seconds 8] [--repetitions 3] [--cameras 4]

The sum is what no system of this kind can do without: decode the film to BGR, write a JPEG, read
it, one run of the detector's network, and the classifier's network for as many faces a frame as
the running system gave it, in batches of its size; each bare, in this process, with as many
threads as a worker has. Against it stands every process of `maskwatch run` (Redis, the dashboard
and the idle ones, too) in processor milliseconds an analysed frame, films playing as fast as the
workers follow. Both take turns. Then the functions that the rest goes to.

The running system has all cores busy, the bare stages one. Cores share caches, memory and often
more, so the stages are timed a second time in as many processes at once as there are cores.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.against_seed import FASTEST_FPS, SETTLE_S
from benchmarks.scenes.films import concourse
from benchmarks.speed import where_time_goes
from benchmarks.speed.load import Meter, Span, film_cameras, set_all, spread, wait_for_pictures
from benchmarks.system import machine, print_result, running_system
from face_detector.anchor_detector import AnchorDetector
from face_detector.loading import load_detector
from ingest.encoding import encode_jpeg
from models.loading import load_classifier
from runtime.memory import keep_freed_memory
from runtime.settings import load_settings
from runtime.video.pictures import PictureMaker

QUALITY: Final = 85
KEEP_EVERY: Final = 5
RUNS: Final = 60
TARGET: Final = 1.3

Stages = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each repetition")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--cameras", type=int, default=4)
    options = parser.parse_args()
    film = concourse()
    keep_freed_memory()
    print(f"{machine()}; {options.cameras} cameras play {film.name}", flush=True)
    names = {f"film{number}": film for number in range(options.cameras)}
    spans: list[Span] = []
    alone: list[Stages] = []
    beside: list[Stages] = []
    with running_system({**film_cameras(names), "MASKWATCH_FILE_SPEED": "0"}) as system:
        cameras = system.cameras()
        set_all(system, cameras, analysis_fps=FASTEST_FPS)
        for _ in range(options.repetitions):
            set_all(system, cameras, enabled=True)
            wait_for_pictures(system, cameras)
            time.sleep(SETTLE_S)
            meter = Meter(system, cameras)
            time.sleep(options.seconds)
            spans.append(meter.span())
            samples = where_time_goes.sample(system, options.seconds / 2)
            set_all(system, cameras, enabled=False)
            time.sleep(1.0)
            faces = spans[-1].classified / spans[-1].frames["analysed"]
            alone += bare_at_once(film, faces, 1)
            beside += bare_at_once(film, faces, os.cpu_count() or 1)
    report(spans, alone, beside)
    where_time_goes.show(samples, spans[-1])


def bare_at_once(film: Path, faces: float, processes: int) -> list[Stages]:
    """The bare stages in so many processes at once, each going through all of them."""
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        return list(pool.map(bare_stages, [film] * processes, [faces] * processes))


def bare_stages(film: Path, faces: float) -> Stages:
    """Processor milliseconds a frame of each stage; `faces` a frame are classified."""
    keep_freed_memory()
    settings = load_settings()
    threads = settings.inference_threads
    cv2.setNumThreads(threads)
    detector = load_detector(
        settings.detector, models_dir=settings.where_models_are, threads=threads
    )
    assert isinstance(detector, AnchorDetector), "the sum is of the detector that ships"
    classifier = load_classifier("onnx", threads=threads)
    decode_ms, images = _decode(film)
    jpegs = [encode_jpeg(image, QUALITY) for image in images]
    noise = np.random.default_rng(0)
    height, width = detector.input_shape(images[0])
    run_detector = detector.bare_run(noise.integers(0, 256, (1, 3, height, width), np.uint8))
    batch = max(1, round(faces * 2))
    side = classifier.input_size
    crops = noise.integers(0, 256, (batch, side, side, 3), np.uint8)
    return {
        "decode": decode_ms,
        "JPEG write": _cpu_ms([partial(encode_jpeg, image, QUALITY) for image in images]),
        "JPEG read": _cpu_ms([partial(_read, jpeg) for jpeg in jpegs]),
        "detector": _cpu_ms([run_detector] * RUNS),
        "classifier": _cpu_ms([partial(classifier.classify, crops)] * RUNS) / batch * faces,
    }


def _read(jpeg: bytes) -> object:
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


def _decode(film: Path) -> tuple[float, list[npt.NDArray[np.uint8]]]:
    """Milliseconds a frame with one thread, as ingest decodes; and some of the pictures."""
    images, frames, pictures = [], 0, PictureMaker()
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        stream.codec_context.thread_count = 1
        began_s = time.process_time()
        for frame in container.decode(stream):
            image = pictures.picture(frame, 1920)
            if frames % KEEP_EVERY == 0:
                images.append(image)
            frames += 1
        return (time.process_time() - began_s) * 1000 / frames, images


def _cpu_ms(calls: list[Callable[[], object]]) -> float:
    """Mean processor milliseconds of a call, all threads together."""
    calls[0]()
    began_s = time.process_time()
    for call in calls:
        call()
    return (time.process_time() - began_s) * 1000 / len(calls)


def report(spans: list[Span], alone: list[Stages], beside: list[Stages]) -> None:
    """Print the stages, their sum, and what the whole costs beside it."""
    print(f"\n{'CPU ms a frame':24} median (least to most); on all cores at once")
    for stage in alone[0]:
        once, busy = ([found[stage] for found in runs] for runs in (alone, beside))
        print(f"{'bare ' + stage:24} {spread(once)}; {spread(busy)}")
    sums, busy_sums = ([sum(found.values()) for found in runs] for runs in (alone, beside))
    print(f"{'sum of the bare stages':24} {spread(sums)}; {spread(busy_sums)}")
    for role in sorted(spans[0].cpu_s):
        print(f"{role:24} {spread([span.cpu_ms([role]) for span in spans])}")
    wholes = [span.cpu_ms() for span in spans]
    print(f"{'end to end':24} {spread(wholes)}")
    print(f"{'faces classified a frame':24} {_classified(spans)}", flush=True)
    ratios = [whole / bare for whole, bare in zip(wholes, sums, strict=True)]
    ratio = statistics.median(ratios)
    title = "B1 CPU a frame from end to end, over the sum of the bare stages"
    print_result(title, round(ratio, 2), "times", f"<= {TARGET:g}", ratio <= TARGET)
    busy_ratio = statistics.median(wholes) / statistics.median(busy_sums)
    title = "B3 the same, over the bare stages on all cores at once"
    print_result(title, round(busy_ratio, 2), "times", "none", True)
    milliseconds = round(statistics.median(wholes), 1)
    print_result("B2 CPU a 1080p frame, end to end", milliseconds, "ms", "none", True)


def _classified(spans: list[Span]) -> str:
    return spread([span.classified / span.frames["analysed"] for span in spans])


if __name__ == "__main__":
    main()
