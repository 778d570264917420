"""Who sees which alerts and rules, and who may change them.

As with cameras: a rule for one camera or group is its operators', one for all cameras is that of
operators of all. Channels hold addresses and passwords, so administrators of all look after them.
"""

from __future__ import annotations

from collections.abc import Mapping

from werkzeug.exceptions import Forbidden, NotFound

from contract.accounts.grants import Role
from contract.alerts.alerts import Alert
from contract.alerts.rules import AlertRule
from contract.cameras.camera import Camera
from contract.errors import AlertError, CameraNotFoundError
from dashboard.accounts.access import identity, require_camera, require_group
from dashboard.services import services


def cameras_by_id() -> dict[str, Camera]:
    """Every camera but browsers' webcams."""
    return {camera.id: camera for camera in services().cameras.all() if not camera.owner}


def may_see_camera(camera_id: str, group: str, cameras: Mapping[str, Camera]) -> bool:
    """Whether what was written down of a camera may be seen; `group` counts once it is removed."""
    camera = cameras.get(camera_id)
    return identity().grants.allow("viewer", camera.group if camera else group)


def visible_alerts(alerts: list[Alert]) -> list[Alert]:
    """Those alerts that whoever is asking may see."""
    cameras = cameras_by_id()
    return [a for a in alerts if may_see_camera(a.camera_id, a.group, cameras)]


def visible_rules() -> list[AlertRule]:
    """Those rules that concern a camera which whoever is asking may see."""
    cameras = cameras_by_id()
    return [rule for rule in services().rules.all() if _may("viewer", rule, cameras)]


def may_change(rule: AlertRule) -> bool:
    """Whether whoever is asking may change this rule."""
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
    # Who sees any camera sees what all cameras are watched for.
    return grants.allow_somewhere("viewer") if needed == "viewer" else everywhere


def find_rule(rule_id: str) -> AlertRule:
    """A rule that may be seen; 404 for any other."""
    for rule in visible_rules():
        if rule.id == rule_id:
            return rule
    raise NotFound("no alert rule has this id")


def require_rule(rule: AlertRule) -> None:
    """Raise 403 unless whoever is asking may change a rule that is there."""
    if not may_change(rule):
        raise Forbidden("this rule is about cameras that you may not change")


def require_scope(rule: AlertRule) -> None:
    """Raise unless whoever is asking may have a rule like this, about cameras there are.

    Raises:
        Forbidden: they may not change those cameras.
        AlertError: the camera or a channel that it names does not exist.
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
