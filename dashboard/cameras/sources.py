"""The source that a request names: what is hidden of it, and which files may be read."""

from __future__ import annotations

from werkzeug.exceptions import Forbidden

from contract.accounts.grants import Grants
from contract.cameras.camera import Camera
from contract.cameras.file_sources import HOW_TO_HAVE_ONE, folders_of, lies_within, names_file
from contract.errors import CameraConfigError
from contract.redaction import HIDDEN
from dashboard.accounts.access import identity
from dashboard.services import services
from runtime.settings import Settings


def refuse_redacted(source: object) -> None:
    """Raise `CameraConfigError` when `source` has stars where a password belongs."""
    if isinstance(source, str) and HIDDEN in source:
        raise CameraConfigError(
            f"source: {HIDDEN} stands for what is hidden of the saved address; "
            "type the whole address, or leave the source as it is to keep it"
        )


def require_file_right(source: str) -> None:
    """Raise 403 where `source` is a file that whoever asks may not have read.

    Whether there is such a file has no part in it.
    """
    if not may_read(source, identity().grants, services().settings):
        raise Forbidden(f"source: {HOW_TO_HAVE_ONE}")


def may_read(source: str, grants: Grants, settings: Settings) -> bool:
    """Whether a source is no file, or one that somebody with these grants may have read."""
    folders = folders_of(settings.source_folders)
    everywhere = grants.allow_everywhere("administrator")
    return not names_file(source) or everywhere or lies_within(source, folders)


def merged_source(source: object, saved: Camera) -> object:
    """The source that is meant: the saved one where it came back as it was shown.

    Anything else with stars is refused: guessing could send a camera's password elsewhere.
    """
    if isinstance(source, str) and saved.shows_as(source):
        return saved.source
    refuse_redacted(source)
    return source
