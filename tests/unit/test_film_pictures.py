"""Pictures, streams and times of films as they are found."""

from __future__ import annotations

import gc
import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter

from runtime.video import pictures
from runtime.video.film_time import LONGEST_GAP_S, FilmTime
from runtime.video.pictures import UPRIGHT, PictureMaker, turn_of, turned
from runtime.video.streams import film_of

WIDTH, HEIGHT = 160, 90


def corner_picture() -> np.ndarray:
    """White at the upper left."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    picture[:30, :50] = 255
    return picture


def film(path: Path, turn: int = 0, aspect: Fraction | None = None) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        if turn:
            stream.set_display_rotation(turn)
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(corner_picture(), "bgr24")))
        container.mux(stream.encode())
    return path


def seen(path: Path, max_width: int = 1920) -> np.ndarray:
    with av.open(str(path)) as container:
        stream = film_of(container)
        assert stream is not None
        maker = PictureMaker(stream.sample_aspect_ratio)
        return maker.picture(next(container.decode(stream)), max_width)


@pytest.mark.parametrize(
    ("turn", "size", "white"),
    [
        (0, (HEIGHT, WIDTH), (0, 0)),
        (90, (WIDTH, HEIGHT), (-1, 0)),
        (180, (HEIGHT, WIDTH), (-1, -1)),
        (270, (WIDTH, HEIGHT), (0, -1)),
    ],
)
def test_a_film_held_sideways_comes_upright(
    tmp_path: Path, turn: int, size: tuple[int, int], white: tuple[int, int]
) -> None:
    picture = seen(film(tmp_path / "film.mp4", turn))
    assert picture.shape == (*size, 3)
    for corner in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        assert bool(picture[corner].mean() > 128) is (corner == white)


@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        ((1, 0, 0, 1), [[1, 2], [3, 4]]),
        ((-1, 0, 0, 1), [[2, 1], [4, 3]]),
        ((1, 0, 0, -1), [[3, 4], [1, 2]]),
        ((0, 1, 1, 0), [[1, 3], [2, 4]]),
        ((0, -1, -1, 0), [[4, 2], [3, 1]]),
    ],
)
def test_mirrored_films_are_mirrored_back(
    turn: tuple[int, int, int, int], expected: list[list[int]]
) -> None:
    image = np.array([[1, 2], [3, 4]], np.uint8)[..., None]
    assert turned(image, turn)[..., 0].tolist() == expected


@pytest.mark.parametrize(
    ("aspect", "shape"),
    [
        (Fraction(2, 1), (90, 320, 3)),
        (Fraction(1, 2), (180, 160, 3)),
        (Fraction(16, 11), (90, 233, 3)),
        (Fraction(100, 1), (90, 160, 3)),
    ],
)
def test_pixels_that_are_not_square_are_stretched_never_squeezed(
    tmp_path: Path, aspect: Fraction, shape: tuple[int, int, int]
) -> None:
    assert seen(film(tmp_path / "film.mp4", aspect=aspect)).shape == shape


def test_the_most_width_is_that_of_the_picture_as_seen(tmp_path: Path) -> None:
    assert seen(film(tmp_path / "wide.mp4", aspect=Fraction(2, 1)), 160).shape == (44, 160, 3)
    assert seen(film(tmp_path / "high.mp4", turn=90), 90).shape == (160, 90, 3)


def test_of_interlaced_video_one_field_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    comb = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    comb[1::2] = 255  # one field filmed black, the other white
    frame = av.VideoFrame.from_ndarray(comb, "bgr24")

    class Interlaced:
        interlaced_frame = True
        width, height = WIDTH, HEIGHT

    monkeypatch.setattr(pictures, "turn_of", lambda frame: UPRIGHT)
    maker = PictureMaker()
    maker._bgr = lambda _, width, height: (
        VideoReformatter()
        .reformat(  # type: ignore[method-assign,assignment]
            frame, width, height, "bgr24"
        )
        .to_ndarray()
    )
    picture = maker.picture(Interlaced(), 1920)  # type: ignore[arg-type]
    assert (picture.shape, int(picture.max())) == ((HEIGHT, WIDTH, 3), 0)


def test_a_frame_without_a_matrix_is_upright() -> None:
    assert turn_of(av.VideoFrame(16, 16, "yuv420p")) == (1, 0, 0, 1)


@pytest.mark.parametrize("turn", [0, 90])
def test_a_picture_leaves_memory_with_its_last_user(tmp_path: Path, turn: int) -> None:
    path, maker = film(tmp_path / "film.mp4", turn=turn), PictureMaker()
    gc.collect()
    gc.disable()
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                maker.size_of(frame)
                maker.picture(frame, 1920)
        del frame
        assert [one for one in gc.get_objects() if isinstance(one, av.VideoFrame)] == []
    finally:
        gc.enable()


def test_a_cover_is_no_film(tmp_path: Path) -> None:
    path = tmp_path / "cover.mp4"
    with av.open(str(path), "w") as container:
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 640, 360, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        video = container.add_stream("libx264", rate=10)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        picture = np.full((360, 640, 3), 90, np.uint8)
        container.mux(cover.encode(av.VideoFrame.from_ndarray(picture, "bgr24")))
        container.mux(cover.encode())
        for _ in range(3):
            container.mux(video.encode(av.VideoFrame.from_ndarray(corner_picture(), "bgr24")))
        container.mux(video.encode())
    with av.open(str(path)) as container:
        found = film_of(container)
        assert found is not None
        assert found.width == WIDTH


def test_sound_alone_is_no_film(tmp_path: Path) -> None:
    out = io.BytesIO()
    with av.open(out, "w", format="wav") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with av.open(io.BytesIO(out.getvalue())) as container:
        assert film_of(container) is None


def times(stamps: list[float | None]) -> list[tuple[float, bool]]:
    film_time = FilmTime(10)
    return [(round(film_time.seconds(one), 3), film_time.joined) for one in stamps]


def test_a_films_times_only_rise_from_zero() -> None:
    assert times([5.0, 5.1, 5.3]) == [(0, False), (0.1, False), (0.3, False)]
    pause = LONGEST_GAP_S - 1
    assert times([0.0, pause]) == [(0, False), (pause, False)], "nobody came by"
    assert times([0.0, 0.4, 0.2, 0.6]) == [(0, False), (0.4, False), (0.4, False), (0.6, False)]


@pytest.mark.parametrize("leap", [36_000.0, -5.0])
def test_a_film_that_begins_again_goes_on(leap: float) -> None:
    stamps: list[float | None] = [5.0, 5.1, 5.1 + leap, 5.2 + leap, 5.3 + leap]
    expected = [(0, False), (0.1, False), (0.2, False), (0.3, True), (0.4, False)]
    assert times(stamps) == expected, "one picture alone may be stray"


def test_frames_without_times_come_at_the_files_rate() -> None:
    assert times([None, None, None]) == [(0, False), (0.1, False), (0.2, False)]
    assert times([1.0, None, None, 1.3]) == [(0, False), (0.1, False), (0.2, False), (0.3, False)]
