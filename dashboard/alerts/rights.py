"""Decides who sees and changes alerts and rules.

The rights follow those for cameras: the operators of a camera or group manage its rules, and
operators of all cameras manage rules for all. Channels contain addresses and passwords, so only
administrators of all cameras manage them.
"""

from __future__ import annotations

from collections.abc import Mapping

from werkzeug.exceptions import Forbidden, NotFound

from contract.accounts.grants import Role
from contract.alerts.alerts import AlertRecord
from contract.alerts.rules import AlertRule
from contract.cameras.camera import Camera
from contract.errors import AlertError, CameraNotFoundError
from dashboard.accounts.access import identity, require_camera, require_group
from dashboard.services import services


def cameras_by_id() -> dict[str, Camera]:
    """Return every camera except browsers' webcams."""
    return {camera.id: camera for camera in services().cameras.all() if not camera.owner}


def may_see_camera(camera_id: str, group: str, cameras: Mapping[str, Camera]) -> bool:
    """Whether the client may see records about a camera; `group` decides if it was removed."""
    camera = cameras.get(camera_id)
    return identity().grants.allow("viewer", camera.group if camera else group)


def visible_alerts(alerts: list[AlertRecord]) -> list[AlertRecord]:
    """Return the alerts that the client may see."""
    cameras = cameras_by_id()
    return [a for a in alerts if may_see_camera(a.camera_id, a.group, cameras)]


def find_open_alert(alert_id: str) -> AlertRecord:
    """Return an open alert that the client may see; raise 404 for others."""
    for alert in visible_alerts(services().alerts.open()):
        if alert.id == alert_id:
            return alert
    raise NotFound("no open alert has this id")


def may_acknowledge(alert: AlertRecord, cameras: Mapping[str, Camera]) -> bool:
    """Whether the client operates the alert's camera."""
    camera = cameras.get(alert.camera_id)
    return identity().grants.allow("operator", camera.group if camera else alert.group)


def visible_rules() -> list[AlertRule]:
    """Return the rules about cameras that the client may see."""
    cameras = cameras_by_id()
    return [rule for rule in services().rules.all() if _may("viewer", rule, cameras)]


def may_change(rule: AlertRule) -> bool:
    """Whether the client may change this rule."""
    return _may("operator", rule, cameras_by_id())


def _may(needed: Role, rule: AlertRule, cameras: Mapping[str, Camera]) -> bool:
    grants = identity().grants
    everywhere = grants.allow_everywhere(needed)
    if rule.camera_id:
        camera = cameras.get(rule.camera_id)
        if camera is None:
            return everywhere
        return grants.allow(needed, camera.group)
    if rule.group:
        return grants.allow(needed, rule.group)
    # A client that sees any camera also sees the rules for all cameras.
    return grants.allow_somewhere("viewer") if needed == "viewer" else everywhere


def find_rule(rule_id: str) -> AlertRule:
    """Return a rule that the client may see; raise 404 for others."""
    for rule in visible_rules():
        if rule.id == rule_id:
            return rule
    raise NotFound("no alert rule has this id")


def require_rule(rule: AlertRule) -> None:
    """Raise 403 unless the client may change an existing rule."""
    if not may_change(rule):
        raise Forbidden("this rule is about cameras that you may not change")


def require_scope(rule: AlertRule) -> None:
    """Raise unless the client may save this rule, and its cameras and channels exist.

    Raises:
        Forbidden: the client may not change those cameras.
        AlertError: a named camera or channel does not exist.
    """
    if rule.camera_id:
        try:
            require_camera("operator", rule.camera_id)
        except CameraNotFoundError as error:
            raise AlertError(f"camera_id: {error}") from None
    elif rule.group:
        require_group("operator", rule.group)
    elif not identity().grants.allow_everywhere("operator"):
        raise Forbidden("a rule for all cameras needs the role operator for all; name a group")
    known = services().channels.names()
    if unknown := [one for one in rule.channels if one not in known]:
        raise AlertError(f"channels: no channel has the id {unknown[0][:40]!r}")
