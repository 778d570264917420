"""Queries and bodies of requests about cameras."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from bus.stores.status import CONNECTIONS_KEPT
from contract.cameras.camera import CHANGEABLE, Camera
from contract.cameras.picture_options import Aspect, Rotate, StreamNumber
from dashboard.web.schemas import no_default


def _from_record(name: str, words: str, required: frozenset[str]) -> type[BaseModel]:
    """Return the model of a request that sets a camera's fields, as the record describes them.

    Without `required` fields, the request is a change.
    """
    fields: dict[str, Any] = {}
    for field_name in Camera.model_fields:
        field = Camera.model_fields[field_name]
        if field_name not in CHANGEABLE:
            continue
        default = field.default if required else None
        fields[field_name] = (
            field.rebuild_annotation(),
            ...
            if field_name in required
            else Field(default, json_schema_extra=None if required else no_default),
        )
    return create_model(name, __config__=ConfigDict(extra="forbid"), __doc__=words, **fields)


class CameraFindQuery(BaseModel):
    """What to find."""

    q: str = Field(
        "", max_length=200, description="Words that the name, the group or the state must have."
    )
    limit: int = Field(12, ge=1, le=100)


NewCamera = _from_record("NewCamera", "A camera to register.", frozenset({"name", "source"}))
CameraChange = _from_record(
    "CameraChange",
    "Fields to change; the others stay. The redacted `source` sent back keeps the password.",
    frozenset(),
)


class ProbeRequest(BaseModel):
    """An address to try, or a saved camera whose password is hidden."""

    model_config = ConfigDict(extra="forbid")

    source: str | None = Field(None, max_length=2000)
    camera_id: str | None = None
    rotate: Rotate | None = Field(None, json_schema_extra=no_default)
    aspect: Aspect | None = Field(None, json_schema_extra=no_default)
    stream: StreamNumber | None = Field(None, json_schema_extra=no_default)


class CameraListQuery(BaseModel):
    """Selects cameras."""

    limit: int = Field(200, ge=1, le=1000, description="Most cameras on a page.")
    offset: int = Field(0, ge=0, le=1_000_000, description="Number of cameras to skip.")
    group: str | None = Field(None, max_length=80, description="Only cameras of this group.")


class CameraExportQuery(BaseModel):
    """Selects cameras and the form of the file."""

    format: Literal["yaml", "csv"] | None = Field(
        None, description="Form of the file; otherwise the header `Accept` decides."
    )
    group: str | None = Field(None, max_length=80, description="Only cameras of this group.")


class CameraImportQuery(BaseModel):
    """Options of an import."""

    format: Literal["yaml", "csv"] | None = Field(
        None, description="Form of the file; otherwise the header `Content-Type` decides."
    )
    dry_run: bool = Field(False, description="Show the changes without making them.")
    partial: bool = Field(False, description="Apply the valid cameras even if others have errors.")
    remove_missing: bool = Field(
        False, description="Remove cameras that are not in the file, and delete their counts."
    )


class ConnectionsQuery(BaseModel):
    """Selects states."""

    limit: int = Field(50, ge=1, le=CONNECTIONS_KEPT)
