"""Checks a request's source: its hidden parts, and the permission to read a file."""

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
    """Raise `CameraConfigError` if `source` has stars in place of a password."""
    if isinstance(source, str) and HIDDEN in source:
        raise CameraConfigError(
            f"source: {HIDDEN} stands for what is hidden of the saved address; "
            "type the whole address, or leave the source as it is to keep it"
        )


def require_file_right(source: str) -> None:
    """Raise 403 if `source` is a file that the client may not have read.

    The result does not depend on whether the file exists.
    """
    if not may_read(source, identity().grants, services().settings):
        raise Forbidden(f"source: {HOW_TO_HAVE_ONE}")


def may_read(source: str, grants: Grants, settings: Settings) -> bool:
    """Whether these grants allow a source: any source except files without permission."""
    folders = folders_of(settings.source_folders)
    everywhere = grants.allow_everywhere("administrator")
    return not names_file(source) or everywhere or lies_within(source, folders)


def merged_source(source: object, saved: Camera) -> object:
    """Return the full source: the saved one if the request repeats its shown form.

    Other sources with stars are refused, because a guess could send a camera's password elsewhere.
    """
    if isinstance(source, str) and saved.shows_as(source):
        return saved.source
    refuse_redacted(source)
    return source
