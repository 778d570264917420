"""Recordings as phones, recorders and faults make them: the same people, whatever the file is like.

Each is made of six seconds of a demo scene, and analysed by the networks in use.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest

from contract.errors import ModelError, UploadDamagedError, UploadTooLargeError
from contract.pictures.recordings import FIRST_BYTES, container_of
from ingest.demo.options import parse_demo
from ingest.demo.scene import Scene
from runtime.settings import load_settings
from worker.networks import Networks, load_networks
from worker.uploads.recordings import analyse_recording

Image = npt.NDArray[np.uint8]

FPS: Final = 10
SECONDS: Final = 6
BEGAN_S: Final = 1000.0


@pytest.fixture(scope="module")
def networks() -> Networks:
    try:
        return load_networks(load_settings({}))
    except ModelError as error:
        pytest.skip(f"needs the networks: {error}")


@pytest.fixture(scope="module")
def pictures() -> list[Image]:
    scene = Scene(parse_demo("demo:seed=5&people=5&width=960"))
    return [scene.render(BEGAN_S + number / FPS) for number in range(SECONDS * FPS)]


@pytest.fixture(scope="module")
def base(
    networks: Networks, pictures: list[Image], tmp_path_factory: pytest.TempPathFactory
) -> Counter[str]:
    folder = tmp_path_factory.mktemp("base")
    found = people(analysed(networks, film(folder / "base.mp4", pictures), folder))
    assert found["mask"] >= 3
    assert found["no_mask"] >= 1
    return found


def film(
    path: Path,
    pictures: list[Image],
    *,
    change: Callable[[Image], Image] = lambda picture: picture,
    aspect: Fraction | None = None,
    turn: int = 0,
    first_s: float = 0.0,
    form: str | None = None,
    codec: str = "libx264",
) -> Path:
    """Write a film, each picture changed first."""
    with av.open(str(path), "w", format=form) as container:
        stream = container.add_stream(codec, rate=FPS)
        stream.height, stream.width = change(pictures[0]).shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = FPS
        stream.options = {"preset": "veryfast", "crf": "24"} if codec == "libx264" else {"q": "4"}
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        if turn:
            stream.set_display_rotation(turn)
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(change(picture)), "bgr24")
            frame.pts, frame.time_base = (
                round((first_s + number / FPS) * 90_000),
                Fraction(1, 90_000),
            )
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def analysed(networks: Networks, path: Path, folder: Path) -> dict[str, Any]:
    container = container_of(path.read_bytes()[:FIRST_BYTES])
    assert container, "it is taken"
    target = folder / "annotated.mp4"
    report = analyse_recording(networks, path, container, target, 60.0, lambda _: True)
    assert report is not None
    with av.open(str(target)) as annotated:
        stream = annotated.streams.video[0]
        assert stream.width / stream.height == pytest.approx(16 / 9, abs=0.03), "upright and square"
    return report


def people(report: dict[str, Any]) -> Counter[str]:
    return Counter(one["verdict"] for one in report["people"])


def alike(found: Counter[str], expected: Counter[str]) -> bool:
    """Whether each verdict is within one of what the base film has."""
    return all(abs(found[verdict] - expected[verdict]) <= 1 for verdict in found | expected)


def squeezed(width: float, height: float) -> Callable[[Image], Image]:
    return lambda picture: cv2.resize(
        picture, None, fx=width, fy=height, interpolation=cv2.INTER_AREA
    ).astype(np.uint8)


def turned(quarters: int) -> Callable[[Image], Image]:
    return lambda picture: np.rot90(picture, quarters)


def zeroed(path: Path, at: float = 0.5, count: int = 60_000) -> Path:
    data = bytearray(path.read_bytes())
    first = int(len(data) * at)
    data[first : first + count] = bytes(min(count, len(data) - first))
    path.write_bytes(data)
    return path


def cut_anywhere(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[5000:])
    return path


SAME: Final[dict[str, Callable[[Path, list[Image]], Path]]] = {
    "turned by 90": lambda to, p: film(to / "f.mp4", p, change=turned(-1), turn=90),
    "turned by 180": lambda to, p: film(to / "f.mp4", p, change=turned(2), turn=180),
    "turned by 270": lambda to, p: film(to / "f.mov", p, change=turned(1), turn=270),
    "half the width": lambda to, p: film(
        to / "f.mp4", p, change=squeezed(0.5, 1), aspect=Fraction(2)
    ),
    "half the height": lambda to, p: film(
        to / "f.mkv", p, change=squeezed(1, 0.5), aspect=Fraction(1, 2)
    ),
    "ten hours late": lambda to, p: film(to / "f.ts", p, first_s=36_000.0),
    "clock wraps": lambda to, p: film(to / "f.ts", p, first_s=95_440.0),
    "m2ts": lambda to, p: film(to / "f.m2ts", p, form="mpegts"),
    "cut anywhere": lambda to, p: cut_anywhere(film(to / "f.ts", p)),
    "avi": lambda to, p: film(to / "f.avi", p),
    "flv": lambda to, p: film(to / "f.flv", p),
    "program stream": lambda to, p: film(to / "f.mpg", p, codec="mpeg2video", form="vob"),
    "recorder's header": lambda to, p: behind(
        b"IMKH" + bytes(36), film(to / "f.mpg", p, codec="mpeg2video", form="vob")
    ),
}


def behind(head: bytes, path: Path) -> Path:
    path.write_bytes(head + path.read_bytes())
    return path


@pytest.mark.parametrize("kind", SAME)
def test_the_same_people_are_counted_however_the_film_is_stored(
    networks: Networks, pictures: list[Image], base: Counter[str], tmp_path: Path, kind: str
) -> None:
    report = analysed(networks, SAME[kind](tmp_path, pictures), tmp_path)
    assert alike(people(report), base), (people(report), base)
    assert report["duration_s"] == pytest.approx(SECONDS, abs=1.2), "a second lacks its key frame"


def two_films(first: Path, second: Path) -> Path:
    first.write_bytes(first.read_bytes() + second.read_bytes())
    return first


@pytest.mark.parametrize("second_s", [0.0, 36_000.0], ids=["begins again", "leaps by ten hours"])
def test_both_films_of_a_file_are_analysed(
    networks: Networks, pictures: list[Image], base: Counter[str], tmp_path: Path, second_s: float
) -> None:
    first = film(tmp_path / "first.ts", pictures)
    joined = two_films(first, film(tmp_path / "second.ts", pictures, first_s=second_s))
    report = analysed(networks, joined, tmp_path)
    twice = Counter({verdict: 2 * count for verdict, count in base.items()})
    found = people(report)
    assert all(abs(found[verdict] - twice[verdict]) <= 2 for verdict in found | twice), found
    assert report["duration_s"] == pytest.approx(2 * SECONDS, abs=0.7)


@pytest.mark.parametrize("suffix", ["mp4", "avi", "ts", "mkv"])
def test_a_film_with_a_hole_is_analysed_around_it(
    networks: Networks, pictures: list[Image], tmp_path: Path, suffix: str
) -> None:
    report = analysed(networks, zeroed(film(tmp_path / f"f.{suffix}", pictures)), tmp_path)
    assert report["skipped"] or report["cut_short"] or report["frames"] < SECONDS * 8 - 1
    assert report["frames"] > SECONDS * 8 / 3
    assert sum(people(report).values()) >= 2


def test_a_cover_is_no_film(
    networks: Networks, pictures: list[Image], base: Counter[str], tmp_path: Path
) -> None:
    path = tmp_path / "cover.mp4"
    with av.open(str(path), "w") as container:
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 1600, 900, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        video = container.add_stream("libx264", rate=FPS)
        video.height, video.width = pictures[0].shape[:2]
        video.pix_fmt = "yuv420p"
        blank = np.full((900, 1600, 3), 90, np.uint8)
        container.mux(cover.encode(av.VideoFrame.from_ndarray(blank, "bgr24")))
        container.mux(cover.encode())
        for picture in pictures:
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, "bgr24")))
        container.mux(video.encode())
    assert alike(people(analysed(networks, path, tmp_path)), base)


def test_a_short_film_beside_long_sound_is_short(
    networks: Networks, pictures: list[Image], tmp_path: Path
) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FPS)
        video.height, video.width = pictures[0].shape[:2]
        video.pix_fmt = "yuv420p"
        sound = container.add_stream("aac", rate=8000)
        for picture in pictures[:12]:
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, "bgr24")))
        container.mux(video.encode())
        for number in range(70):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts = 8000, number * 8000
            container.mux(sound.encode(frame))
        container.mux(sound.encode())
    assert analysed(networks, path, tmp_path)["duration_s"] == pytest.approx(1.0, abs=0.2)


def test_a_film_that_is_too_long_is_refused_before_it_is_analysed(
    networks: Networks, pictures: list[Image], tmp_path: Path
) -> None:
    path = film(tmp_path / "f.mp4", pictures)
    with pytest.raises(UploadTooLargeError, match="longer than"):
        analyse_recording(networks, path, "mov", tmp_path / "a.mp4", 5.0, lambda _: True)


def test_nothing_but_damage_is_said_to_be_that(
    networks: Networks, pictures: list[Image], tmp_path: Path
) -> None:
    path = zeroed(film(tmp_path / "f.ts", pictures), at=0.002, count=10**9)
    with pytest.raises(UploadDamagedError):
        analyse_recording(networks, path, "mpegts", tmp_path / "a.mp4", 60.0, lambda _: True)
