"""The record of a registered camera."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from itertools import islice
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from contract.cameras.detector_width import DetectorWidth
from contract.cameras.file_sources import lacks_scheme, misspelt_scheme
from contract.cameras.layout import (
    MOST_SHAPES,
    Area,
    CountingLine,
    Zone,
    different_names,
    turned_shapes,
)
from contract.cameras.picture_options import Aspect, PictureOptions, Rotate, StreamNumber
from contract.cameras.shown_addresses import LONGEST_ADDRESS, SEPARATOR, host_of
from contract.errors import CameraConfigError, CameraFieldsError
from contract.field_words import field_words
from contract.names import OPTIONAL_NAME, PLAIN_NAME
from contract.plain_text import STORED
from contract.redaction import redact_text, redact_url

SOURCE_HINT: Final = (
    "expected rtsp://, rtsps://, http:// or https:// with a host, a webcam (0 or /dev/video0), "
    "a video file's path, or demo:"
)


BROWSER: Final = "browser:"
"""Prefix of the source of a browser's webcam; the account's id follows."""
MOST_PROBLEMS: Final = 10
"""Most faults of a record that one error lists."""
_FEW: Final[Any] = Field(max_length=MOST_SHAPES)


class Camera(BaseModel):
    """A registered source of frames. Immutable: change one with `CameraRegistry.update`."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    id: str = Field(pattern=r"^[a-z0-9]{1,32}$")
    name: Annotated[str, Field(min_length=1, max_length=80), PLAIN_NAME]
    source: str = Field(min_length=1, max_length=LONGEST_ADDRESS)
    group: Annotated[str, Field(max_length=80), OPTIONAL_NAME] = ""
    """The camera's location, such as "Terminal 2"; roles can be limited to it."""
    enabled: bool = True
    analysis_fps: float = Field(8.0, ge=0.1, le=60.0)
    jpeg_quality: int = Field(85, ge=30, le=100)
    max_width: int = Field(1920, ge=160, le=7680)
    rotate: Rotate = 0
    aspect: Aspect = ""
    stream: StreamNumber = 0
    detector: Literal["maskwatch", "yunet", "ssd"] | None = None
    detector_width: DetectorWidth = None
    lines: Annotated[tuple[CountingLine, ...], _FEW, AfterValidator(different_names)] = ()
    """Lines whose crossings are counted, `in` and `out`."""
    zones: Annotated[tuple[Zone, ...], _FEW, AfterValidator(different_names)] = ()
    """If a camera has zones, only people whose face entered one of them count."""
    ignored: Annotated[tuple[Area, ...], _FEW] = ()
    """Areas with posters, screens or mirrors: faces in them do not count."""
    created_at_s: float = Field(default_factory=time.time)
    sealed_source: str | None = Field(None, exclude=True, repr=False)
    """The source as Redis stores it: encrypted, if it is a network address. `source` is then the
    whole address in processes with the key, and the redacted address in all others."""
    opened: bool = Field(False, exclude=True, repr=False)
    """Whether `source` is the decrypted address, not its redacted form."""

    @field_validator("group")
    @classmethod
    def _not_all(cls, group: str) -> str:
        if group == "*":
            raise ValueError("a group cannot have the name *, which stands for all groups")
        return group

    @field_validator("source")
    @classmethod
    def _known_source(cls, source: str, info: ValidationInfo) -> str:
        scheme, separator, rest = source.partition("://")
        if any(ord(character) < 32 for character in source):
            raise ValueError("a source cannot contain control characters")
        if meant := misspelt_scheme(source) if info.context != STORED else "":
            raise ValueError(
                f"the type of the address is misspelt: write {meant}:// at its beginning"
            )
        if separator and not scheme.isascii():
            raise ValueError(f"this is not a known type of address; {SOURCE_HINT}")
        if separator and scheme.lower() not in {"rtsp", "rtsps", "http", "https"}:
            raise ValueError(f"sources of type {scheme}:// are not supported; {SOURCE_HINT}")
        if separator and not rest.strip("/"):
            raise ValueError(f"the address has no host; {SOURCE_HINT}")
        if info.context != STORED and lacks_scheme(source):
            raise ValueError(
                "this looks like a network address without its type: write rtsp:// or http:// "
                "before it, or ./ if it is a file's name"
            )
        return source

    @property
    def picture_options(self) -> PictureOptions:
        """How the camera's pictures are to be seen."""
        return PictureOptions(self.rotate, self.aspect, self.stream)

    @property
    def redacted_source(self) -> str:
        """The source as accounts that may change the camera see it."""
        return redact_url(self.source)

    @property
    def public_source(self) -> str:
        """The source as viewers see it: scheme and host."""
        return host_of(self.source)

    def shows_as(self, source: str) -> bool:
        """Whether `source` is one of the forms in which this camera's address was shown."""
        return source.strip() in (self.redacted_source, self.public_source)

    @property
    def owner(self) -> str:
        """The account that owns this browser's webcam and alone may see it; empty otherwise."""
        return self.source.removeprefix(BROWSER) if self.source.startswith(BROWSER) else ""

    @property
    def locked(self) -> bool:
        """Whether the address is encrypted, and this process lacks the key to decrypt it."""
        return self.sealed_source is not None and not self.opened

    @property
    def version(self) -> str:
        """A value that changes with every field, including the password, and does not reveal any.

        It is the same with and without the key. Valid only for a camera as registered.
        """
        record = {**self.model_dump(mode="json"), "source": self.redacted_source}
        text = json.dumps([record, self.sealed_source], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def shown_source(self, may_change: bool) -> str:
        """Return the source as its reader may see it."""
        return self.redacted_source if may_change else self.public_source

    def public(self, may_change: bool = False) -> dict[str, Any]:
        """Return the record for pages and the API, with the address as its reader may see it."""
        return {**self.model_dump(), "source": self.shown_source(may_change)}


KEPT_BESIDE: Final = frozenset({"sealed_source", "opened"})
"""Fields that are not part of a camera's settings."""
CHANGEABLE: Final = frozenset(Camera.model_fields) - KEPT_BESIDE - {"id", "created_at_s"}


def is_network_address(source: str) -> bool:
    """Whether a source is a network address, which is always stored encrypted."""
    return SEPARATOR in source


def make_camera(**fields: Any) -> Camera:
    """Return a camera with a new id.

    Raises:
        CameraConfigError: names each field that cannot be used, and what was expected.
    """
    camera = checked_camera({"id": secrets.token_hex(6), **fields})
    if camera.owner:
        raise CameraConfigError(f"source: {BROWSER} is reserved for the webcams of browsers")
    return camera


def make_webcam(owner: str, name: str, analysis_fps: float) -> Camera:
    """Return the temporary camera of `owner`'s browser; see `bus.stores.webcams`."""
    camera_id = secrets.token_hex(6)
    fields = {"name": f"Webcam of {name[:50]} {camera_id[:4]}", "analysis_fps": analysis_fps}
    return checked_camera({"id": camera_id, "source": BROWSER + owner, **fields})


def checked_camera(fields: dict[str, Any]) -> Camera:
    """Return a camera with these fields; raise `CameraFieldsError` with the unusable ones."""
    try:
        return Camera(**fields)
    except ValidationError as error:
        raise CameraFieldsError(
            tuple(
                (
                    ".".join(redact_url(str(part)) for part in p["loc"]),
                    redact_text(field_words(p)),
                )
                for p in islice(error.errors(include_input=False, include_url=False), MOST_PROBLEMS)
            )
        ) from None


def changed_camera(before: Camera, changes: dict[str, Any]) -> Camera:
    """Return `before` with some fields changed.

    Lines, zones and ignored areas turn with the picture, so that they stay over the same place,
    unless the change brings shapes itself, which are drawn over the new picture.

    Raises:
        CameraConfigError: names each field that cannot be changed to its new value.
    """
    if unknown := changes.keys() - CHANGEABLE:
        raise CameraConfigError(
            f"cannot change {', '.join(sorted(unknown))}; "
            f"can change {', '.join(sorted(CHANGEABLE))}"
        )
    camera = checked_camera({**before.model_dump(), **changes})
    if camera.owner != before.owner:
        raise CameraConfigError(
            "source: a camera cannot become a browser's webcam, or the other way round"
        )
    if camera.rotate != before.rotate:
        degrees = (camera.rotate - before.rotate) % 360
        kinds = {"lines", "zones", "ignored"} - changes.keys()
        turned = {kind: turned_shapes(getattr(camera, kind), degrees) for kind in kinds}
        camera = camera.model_copy(update=turned)
    if camera.source == before.source:
        kept = {"sealed_source": before.sealed_source, "opened": before.opened}
        camera = camera.model_copy(update=kept)
    return camera
