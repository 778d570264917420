"""The cameras that a form offers to somebody who operates them: all, a group, or one."""

from __future__ import annotations

from typing import Final

from dashboard.accounts.access import identity, visible_cameras
from dashboard.services import services

ALL: Final = "all"


def operated_scopes() -> list[tuple[str, str]]:
    """Return what the client operates: `all`, `group:NAME`, `camera:ID`, each with its words."""
    grants = identity().grants
    cameras = [
        c for c in visible_cameras(services().cameras.all()) if grants.allow("operator", c.group)
    ]
    groups = sorted({camera.group for camera in cameras} - {""})
    everything = [(ALL, "All cameras")] if grants.allow_everywhere("operator") else []
    return [
        *everything,
        *((group_scope(group), f"Group {group}") for group in groups),
        *((f"camera:{camera.id}", f"Camera {camera.name}") for camera in cameras),
    ]


def group_scope(group: str) -> str:
    """Return the value of a group's scope; of no group, all cameras'."""
    return f"group:{group}" if group else ALL
