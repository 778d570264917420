"""The forms of a file of cameras: YAML and CSV."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from contract.cameras.camera import Camera
from contract.errors import CameraFileError
from dashboard.cameras.file.csv_form import decode_csv, read_csv, write_csv
from dashboard.cameras.file.entries import MOST_BYTES, Entry, MayChange, anybody
from dashboard.cameras.file.yaml_form import read_yaml, write_yaml

Form = Literal["yaml", "csv"]
MEDIA: Final[dict[Form, str]] = {"yaml": "application/yaml", "csv": "text/csv"}
_TAKEN: Final[dict[str, Form]] = {
    "application/yaml": "yaml",
    "application/x-yaml": "yaml",
    "text/yaml": "yaml",
    "text/x-yaml": "yaml",
    "text/csv": "csv",
    "application/csv": "csv",
    "application/vnd.ms-excel": "csv",  # what browsers on Windows call a CSV file
}


def form_of(media: str) -> Form | None:
    """Return the form of a media type; None for other types."""
    return _TAKEN.get(media.lower())


def write_cameras(form: Form, cameras: Iterable[Camera], may_change: MayChange = anybody) -> str:
    """Return a file of cameras without secrets. Without the right to change one, only its host."""
    write = write_yaml if form == "yaml" else write_csv
    return write(cameras, may_change)


def read_cameras(form: Form, data: bytes) -> list[Entry]:
    """The cameras in a file, not checked yet.

    Raises:
        CameraFileError: it is no file of this form, is empty, or is too large.
    """
    if len(data) > MOST_BYTES:
        raise CameraFileError(
            f"the file has {len(data)} bytes, expected at most {MOST_BYTES}; split it"
        )
    entries = read_csv(decode_csv(data)) if form == "csv" else read_yaml(_decode_yaml(data))
    if not entries:
        raise CameraFileError("there is no camera in the file")
    return entries


def _decode_yaml(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CameraFileError("the file is not UTF-8; save it in that encoding") from None
