"""A film that is over begins again, as the file is then."""

from __future__ import annotations

import hashlib
from itertools import islice
from pathlib import Path

import pytest

from contract.errors import SourceError
from ingest.captured import CapturedFrame
from ingest.reach.address import parse_source
from ingest.sources.opening import Opening
from ingest.sources.video import VideoSource
from runtime.settings import load_settings
from tests.builders import Patience
from tests.servers.clips import make_clip

FRAMES = 25


def opened(path: Path) -> VideoSource:
    return VideoSource.open(parse_source(str(path)), load_settings({}, file_speed=0.0), Patience())


def picture(frame: CapturedFrame) -> str:
    return hashlib.sha256(frame.image(1920).tobytes()).hexdigest()


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "film.ts", "film.avi"])
def test_every_round_of_a_film_shows_the_same_pictures(tmp_path: Path, name: str) -> None:
    source = opened(make_clip(tmp_path / name, seconds=1, b_frames=2))
    shown = [picture(frame) for frame in islice(source.frames(), 3 * FRAMES)]
    source.close()
    assert len(set(shown[:FRAMES])) == FRAMES
    assert shown[FRAMES : 2 * FRAMES] == shown[:FRAMES]
    assert shown[2 * FRAMES :] == shown[:FRAMES]


def test_a_film_is_opened_once_for_all_its_rounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    openings = []
    really_open = Opening.open
    monkeypatch.setattr(Opening, "open", lambda self: openings.append(self) or really_open(self))
    source = opened(make_clip(tmp_path / "film.mp4", seconds=1))
    assert len(list(islice(source.frames(), 3 * FRAMES))) == 3 * FRAMES
    source.close()
    assert len(openings) == 1


def test_a_film_that_was_replaced_is_shown_from_the_next_round_on(tmp_path: Path) -> None:
    film = make_clip(tmp_path / "film.mp4", seconds=1)
    source = opened(film)
    frames = source.frames()
    sizes = [frame.image(1920).shape for frame in islice(frames, FRAMES)]
    make_clip(tmp_path / "other.mp4", seconds=1, size=(640, 360)).replace(film)
    sizes += [frame.image(1920).shape for frame in islice(frames, FRAMES)]
    source.close()
    assert sizes == [sizes[0]] * FRAMES + [(360, 640, 3)] * FRAMES
    assert sizes[0] != sizes[-1]


def test_a_film_that_was_deleted_is_said_to_be_missing_when_it_is_over(tmp_path: Path) -> None:
    film = make_clip(tmp_path / "film.mp4", seconds=1)
    source = opened(film)
    frames = source.frames()
    list(islice(frames, FRAMES))
    film.unlink()
    with pytest.raises(SourceError, match="there is no file"):
        next(frames)
    source.close()
