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
from av.video.reformatter import ColorRange, Colorspace

from contract.errors import ModelError, UploadTooLargeError, UploadTypeError
from contract.errors import UploadDamagedError as Damaged
from contract.pictures.recordings import FIRST_BYTES, what_instead
from ingest.demo.options import parse_demo
from ingest.demo.scene import Scene
from runtime.settings import load_settings
from tests.servers.dav import write_dav
from worker.networks import Networks, load_networks
from worker.uploads.film import RecordedFilm
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
    matrix: Colorspace = Colorspace.ITU601,
    limits: ColorRange = ColorRange.MPEG,
    interlaced: bool = False,
) -> Path:
    """Write a film, each picture changed first."""
    with av.open(str(path), "w", format=form) as container:
        stream = container.add_stream(codec, rate=FPS)
        stream.height, stream.width = change(pictures[0]).shape[:2]
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.gop_size = FPS
        stream.options = {"preset": "veryfast", "crf": "24"} if codec == "libx264" else {"q": "4"}
        if interlaced:
            stream.options = {**stream.options, "x264-params": "interlaced=1:tff=1"}
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        stream.bit_rate = 3_000_000
        stream.codec_context.colorspace, stream.codec_context.color_range = matrix, limits
        if turn:
            stream.set_display_rotation(turn)
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(change(picture)), "bgr24")
            frame = frame.reformat(
                format=stream.pix_fmt, dst_colorspace=matrix, dst_color_range=limits
            )
            frame.pts, frame.time_base = (
                round((first_s + number / FPS) * 90_000),
                Fraction(1, 90_000),
            )
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def analysed(networks: Networks, path: Path, folder: Path) -> dict[str, Any]:
    assert not what_instead(path.read_bytes()[:FIRST_BYTES]), "it is taken"
    target = folder / "annotated.mp4"
    report = analyse_recording(networks, path, target, 60.0, lambda _: True)
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
    "wmv": lambda to, p: film(to / "f.wmv", p, codec="wmv2"),
    "dav": lambda to, p: write_dav(to / "f.dav", film(to / "f.ts", p), FPS),
    "raw h264": lambda to, p: film(to / "f.h264", p),
    "ivf": lambda to, p: film(to / "f.ivf", p, codec="libvpx"),
    "no name of its own": lambda to, p: film(to / "f.mp4", p).rename(to / "f.jpg"),
    "interlaced": lambda to, p: film(to / "f.ts", p, codec="libx264", interlaced=True),
    "BT.709": lambda to, p: film(to / "f.mp4", p, matrix=Colorspace.ITU709),
    "BT.709, full range": lambda to, p: film(
        to / "f.mp4", p, matrix=Colorspace.ITU709, limits=ColorRange.JPEG
    ),
    "half the width, unsaid": lambda to, p: film(to / "f.mp4", p, change=resized(960, 1080)),
    "a cover that no flag tells": lambda to, p: with_cover(to / "f.mkv", p),
}


def resized(width: int, height: int) -> Callable[[Image], Image]:
    return lambda picture: cv2.resize(
        picture, (width, height), interpolation=cv2.INTER_AREA
    ).astype(np.uint8)


def with_cover(path: Path, pictures: list[Image]) -> Path:
    """Write a film behind a larger cover, which Matroska cannot flag as one."""
    with av.open(str(path), "w") as container:
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 1600, 900, "yuvj420p"
        video = container.add_stream("libx264", rate=FPS)
        video.height, video.width = pictures[0].shape[:2]
        video.pix_fmt = "yuv420p"
        blank = av.VideoFrame.from_ndarray(np.full((900, 1600, 3), 90, np.uint8), "bgr24")
        container.mux(cover.encode(blank))
        container.mux(cover.encode())
        for picture in pictures:
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, "bgr24")))
        container.mux(video.encode())
    return path


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
    assert report["skipped"]
    [(from_s, to_s), *_] = report["skipped_spans_s"]
    assert SECONDS / 4 < from_s <= to_s < SECONDS, "in the middle, where the hole is"
    assert report["missing_at_end_s"] == 0.0
    assert 0 < report["analysed_s"] <= report["duration_s"]
    assert report["frames"] > SECONDS * 8 / 3
    assert sum(people(report).values()) >= 2


def test_what_is_missing_at_the_end_is_told(
    networks: Networks, pictures: list[Image], tmp_path: Path
) -> None:
    path = tmp_path / "f.mp4"
    with av.open(str(film(tmp_path / "whole.mp4", pictures))) as whole:
        options = {"movflags": "+faststart"}
        with av.open(str(path), "w", options=options) as copy:
            stream = copy.add_stream_from_template(whole.streams.video[0])
            for packet in whole.demux(video=0):
                if packet.size:
                    packet.stream = stream
                    copy.mux(packet)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    report = analysed(networks, path, tmp_path)
    assert report["duration_s"] == SECONDS
    assert 1 < report["missing_at_end_s"] < 4
    assert report["analysed_s"] + report["missing_at_end_s"] == pytest.approx(SECONDS, abs=0.3)


def test_a_film_without_times_is_told_to_be_one(
    networks: Networks, pictures: list[Image], tmp_path: Path
) -> None:
    known = analysed(networks, film(tmp_path / "f.h264", pictures[:20]), tmp_path)
    assert (known["assumed_fps"], known["duration_s"]) == (FPS, 2.0), "as its codec says"
    motion = tmp_path / "f.mjpeg"
    film(motion, pictures[:20], codec="mjpeg", limits=ColorRange.JPEG)
    unknown = analysed(networks, motion, tmp_path)
    assert (unknown["assumed_fps"], unknown["duration_s"]) == (25.0, 0.8)
    assert analysed(networks, film(tmp_path / "f.ts", pictures[:20]), tmp_path)["assumed_fps"] == 0


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b"\0\0\0\x18ftypisom" + bytes(12) + b"\0\1\0\0mdat" + bytes(9999), Damaged, "moov"),
        (b"\0\0\0\x18ftypisom" + b"\xff" * 9999, Damaged, "moov"),
        (b"\x1a\x45\xdf\xa3" + b"\xff" * 9999, Damaged, "beginning of the recording"),
        (cv2.imencode(".png", np.zeros((9, 9)))[1].tobytes(), UploadTypeError, "by its content"),
        (bytes(range(7)) * 999, Damaged, "its recorder's own program"),
    ],
)
def test_what_cannot_be_opened_is_told_in_plain_words(
    tmp_path: Path, data: bytes, error: type[Exception], words: str
) -> None:
    path = tmp_path / "f"
    path.write_bytes(data)
    with pytest.raises((error, UploadTypeError), match=words) as told:
        RecordedFilm(path)
    assert "Invalid" not in str(told.value)


def test_a_playlist_opens_no_other_file(tmp_path: Path, pictures: list[Image]) -> None:
    film(tmp_path / "other.ts", pictures[:5])
    for text in (
        "#EXTM3U\n#EXTINF:1,\nother.ts\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile other.ts\n",
    ):
        path = tmp_path / "list"
        path.write_text(text)
        with pytest.raises((UploadTypeError, Damaged)):
            RecordedFilm(path)


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
        analyse_recording(networks, path, tmp_path / "a.mp4", 5.0, lambda _: True)


def test_nothing_but_damage_is_said_to_be_that(
    networks: Networks, pictures: list[Image], tmp_path: Path
) -> None:
    path = zeroed(film(tmp_path / "f.ts", pictures), at=0.002, count=10**9)
    with pytest.raises(Damaged):
        analyse_recording(networks, path, tmp_path / "a.mp4", 60.0, lambda _: True)
