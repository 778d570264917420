"""What counts as a file's path, and what is an address that somebody typed without its type."""

from __future__ import annotations

import pytest

from contract.cameras.camera import Camera, make_camera
from contract.errors import CameraFieldsError
from contract.plain_text import STORED

WITHOUT_SCHEME = [
    "admin:s3cret@host/live",
    "admin:s3/cret@host/live",
    "admin@10.0.0.9/s3cret",
    "rtsp:/admin:s3cret@host",
    "RTSP:admin:s3cret@host/x",
    "rtsp//admin:s3cret@host/x",
    "rtsp;//admin:s3cret@host/x",
    "//admin:s3cret@host/x",
    " admin:s3cret@host/x",
    "10.0.0.9/user=admin_password=s3cret",
    "10.0.0.9:554/s3cret",
    "[fe80::1]/s3cret",
    "cam.example.org/live?pw=s3cret",
    "rtsp%3A%2F%2Fadmin%3As3cret%40host",
]
FILES = [
    "/films/hall.mp4",
    "/volume1/@videos/hall 10:30 @door.mp4",
    "films/hall.mp4",
    "films/hall 10:30.mp4",
    "./admin:x@host/live",
    "../10.0.0.9/hall.mp4",
    "hall.mp4",
    "hall",
]


@pytest.mark.parametrize("source", WITHOUT_SCHEME)
def test_an_address_without_its_type_is_refused_and_not_repeated(source: str) -> None:
    with pytest.raises(CameraFieldsError, match="write rtsp://") as refused:
        make_camera(name="Gate", source=source)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("source", FILES)
def test_a_path_is_taken_whatever_the_files_name(source: str) -> None:
    assert make_camera(name="Gate", source=source).source == source


def test_a_camera_that_was_registered_before_is_still_read() -> None:
    record = make_camera(name="Gate", source="x").model_copy(update={"source": WITHOUT_SCHEME[0]})
    read = Camera.model_validate_json(record.model_dump_json(), context=STORED)
    assert read == record
    assert "s3cret" not in f"{read.public()} {read.public(may_change=True)}"
