"""A camera's pictures as people see them: as its stream says, and as its options say."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest
from av.video.reformatter import ColorRange, Colorspace

from contract.cameras.picture_options import AS_SIGNALLED, PictureOptions
from contract.errors import SourceNoVideoError
from ingest.captured import OpenSource
from ingest.probe.probe import probe_camera
from ingest.sources.source import open_source
from runtime.settings import load_settings
from runtime.video.pictures import PictureMaker

Image = npt.NDArray[np.uint8]
WIDTH, HEIGHT = 192, 108
PATCHES = ((200, 40, 40), (40, 200, 40), (40, 40, 200), (140, 170, 200), (230, 230, 230), (9, 9, 9))
"""In BGR. Skin is the fourth."""


class Patience:
    def extend(self, seconds: float) -> None:
        """No watchdog watches."""

    def wait(self, seconds: float) -> bool:
        del seconds
        return False


def corner(width: int = WIDTH, height: int = HEIGHT) -> Image:
    """White at the upper left, grey at the upper right."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[: height // 3, : width // 3] = 255
    picture[: height // 3, -width // 3 :] = 128
    return picture


def write(path: Path, *pictures: Image, **settings: object) -> Path:
    """Write films of one picture each, one video beside the other."""
    with av.open(str(path), "w") as container:
        streams = []
        for picture in pictures:
            stream = container.add_stream("libx264", rate=10, options={"crf": "4"})
            stream.height, stream.width = picture.shape[:2]
            stream.pix_fmt = "yuv420p"
            for name, value in settings.items():
                setattr(stream.codec_context, name, value)
            streams.append(stream)
        for _ in range(5):
            for stream, picture in zip(streams, pictures, strict=True):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "bgr24")))
        for stream in streams:
            container.mux(stream.encode())
    return path


def opened(path: Path, options: PictureOptions = AS_SIGNALLED) -> OpenSource:
    return open_source(str(path), load_settings({}), Patience(), options=options)


def seen(path: Path, options: PictureOptions = AS_SIGNALLED) -> Image:
    source = opened(path, options)
    try:
        picture = next(iter(source.frames())).image(1920)
        assert source.health.size == picture.shape[1::-1], "told as it is seen"
        return picture
    finally:
        source.close()


def alike(picture: Image, expected: Image) -> bool:
    return (
        picture.shape == expected.shape
        and float(np.abs(picture.astype(float) - expected).mean()) < 6
    )


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("aspect", ["", "4:3", "32:9"])
def test_a_camera_is_seen_as_its_options_say(tmp_path: Path, degrees: int, aspect: str) -> None:
    options = PictureOptions(degrees, aspect)
    picture = seen(write(tmp_path / "film.mp4", corner()), options)
    width, height = {"": (192, 108), "4:3": (192, 144), "32:9": (384, 108)}[aspect]
    assert alike(picture, np.rot90(corner(width, height), -degrees // 90))


def test_an_option_turns_on_from_what_the_stream_says(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.set_display_rotation(90)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(corner(), "bgr24")))
        container.mux(stream.encode())
    upright = seen(path)
    assert upright.shape == (WIDTH, HEIGHT, 3)
    assert alike(seen(path, PictureOptions(90)), np.rot90(upright, -1))


def mirrored(path: Path) -> Path:
    """Write into the film's track header that it is to be mirrored, as front cameras do."""
    data, one = path.read_bytes(), (1 << 16).to_bytes(4, "big")
    upright = one + bytes(12) + one + bytes(12) + (1 << 30).to_bytes(4, "big")
    at = data.index(upright, data.index(b"tkhd"))
    flip = (-(1 << 16) & 0xFFFFFFFF).to_bytes(4, "big")
    path.write_bytes(data[:at] + flip + data[at + 4 :])
    return path


def test_a_mirrored_film_is_mirrored_back(tmp_path: Path) -> None:
    path = mirrored(write(tmp_path / "film.mp4", corner()))
    assert alike(seen(path), corner()[:, ::-1])


@pytest.mark.parametrize(
    ("stored", "shown"),
    [((960, 1080), (1920, 1080)), ((352, 576), (768, 576)), ((704, 288), (704, 528))],
)
def test_halved_pictures_are_stretched_although_nothing_says_so(
    tmp_path: Path, stored: tuple[int, int], shown: tuple[int, int]
) -> None:
    path = write(tmp_path / "film.mp4", corner(*stored))
    assert seen(path).shape[1::-1] == shown
    square = f"{stored[0]}:{stored[1]}"
    assert seen(path, PictureOptions(aspect=square)).shape[1::-1] == stored, "an option decides"


def test_a_signalled_shape_of_pixels_is_believed_before_a_usual_size(tmp_path: Path) -> None:
    path = write(tmp_path / "film.mp4", corner(960, 1080), sample_aspect_ratio=Fraction(1))
    assert seen(path).shape[1::-1] == (960, 1080)


def test_the_largest_video_is_seen_unless_another_is_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path / "film.mkv", corner(160, 90), corner(), corner(128, 96))
    widths = [seen(path, PictureOptions(stream=number)).shape[1] for number in range(4)]
    assert widths == [192, 160, 192, 128]
    with pytest.raises(SourceNoVideoError, match=r"expected video 4 at .*, found 3 videos"):
        opened(path, PictureOptions(stream=4))


def patches() -> Image:
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for number, colour in enumerate(PATCHES):
        picture[:, number * 32 : (number + 1) * 32] = colour
    return picture


def coloured(path: Path, matrix: Colorspace, limits: ColorRange, told: bool = True) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "2"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        if told:
            stream.codec_context.colorspace = matrix
            stream.codec_context.color_range = limits
        frame = av.VideoFrame.from_ndarray(patches(), "bgr24")
        frame = frame.reformat(format="yuv420p", dst_colorspace=matrix, dst_color_range=limits)
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize("limits", [ColorRange.MPEG, ColorRange.JPEG], ids=["limited", "full"])
@pytest.mark.parametrize("matrix", [Colorspace.ITU601, Colorspace.ITU709], ids=["601", "709"])
@pytest.mark.parametrize("max_width", [WIDTH, WIDTH // 2])
def test_known_colours_are_seen_as_they_are(
    tmp_path: Path, matrix: Colorspace, limits: ColorRange, max_width: int
) -> None:
    path = coloured(tmp_path / "film.mp4", matrix, limits)
    source = opened(path)
    picture = next(iter(source.frames())).image(max_width)
    source.close()
    height, width = picture.shape[:2]
    for number, colour in enumerate(PATCHES):
        found = picture[height // 2, int((number + 0.5) * width / len(PATCHES))].astype(int)
        assert np.abs(found - colour).max() <= 6, (number, found, colour)


def test_interlaced_video_of_a_camera_shows_one_field(tmp_path: Path) -> None:
    comb = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    comb[1::2] = 255
    path = tmp_path / "film.ts"
    with av.open(str(path), "w") as container:
        options = {"crf": "4", "x264-params": "interlaced=1:tff=1"}
        stream = container.add_stream("libx264", rate=10, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(comb, "bgr24")))
        container.mux(stream.encode())
    assert seen(path).max() < 60, "no line of the other field"


def test_the_demo_is_turned_and_stretched_like_any_camera() -> None:
    source = opened(Path("demo:width=640"), PictureOptions(90, "1:1"))
    picture = next(iter(source.frames())).image(1920)
    assert picture.shape[:2] == source.info.size == (640, 640)


def test_an_image_is_seen_as_a_frame_is() -> None:
    maker = PictureMaker(None, PictureOptions(270, "32:9"))
    expected = cv2.resize(corner(), (384, 108), interpolation=cv2.INTER_AREA)
    assert (maker.of_image(corner(), 1920) == np.rot90(expected)).all()
    assert maker.of_image(corner(), 60).shape == (214, 60, 3)


def test_a_probe_shows_the_picture_as_it_will_be(tmp_path: Path) -> None:
    path = str(write(tmp_path / "film.mp4", corner()))
    found = probe_camera(path, None, {"rotate": 90, "aspect": "4:3", "stream": 0})
    assert (found["width"], found["height"]) == (144, 192)
    assert probe_camera(path)["width"] == 192, "as an older dashboard asks"
