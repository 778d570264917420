"""Starts audits, finds those that the client may judge, and whom to judge next."""

from __future__ import annotations

import secrets
from datetime import UTC
from typing import Final

from werkzeug.exceptions import Forbidden, NotFound

from contract.cameras.camera import Camera
from contract.errors import QueryError
from contract.people.audits import (
    PICTURES_KEPT_S,
    Answer,
    Audit,
    AuditFindings,
    DrawnPerson,
    Judgement,
    chances,
)
from contract.people.verdicts import VERDICTS, Verdict
from dashboard.accounts.access import audit as log
from dashboard.accounts.access import identity, require_camera, require_group, visible_cameras
from dashboard.audits.answers import NewAudit
from dashboard.services import services
from reports.report import make_report
from reports.time_range import DAY_S, cut

LEAST_ANALYSED_S: Final = 600.0
"""Analysed time of the last day from which it tells how many people to expect."""


def start(asked: NewAudit) -> Audit:
    """Start an audit.

    Raises:
        QueryError: it names no camera, or one of its cameras is being audited already.
        Forbidden: the client does not operate its cameras.
    """
    name, cameras = _cameras(asked)
    store, now_s = services().audits, services().clock()
    taken = {camera_id for audit in store.running(now_s) for camera_id in audit.camera_ids}
    if busy := [camera.name for camera in cameras if camera.id in taken]:
        raise QueryError(f"{busy[0]} is being audited; stop that audit first")
    expected = _expected(cameras, asked.hours * 3600, now_s)
    made = Audit(
        secrets.token_hex(8),
        name,
        tuple(camera.id for camera in cameras),
        asked.people,
        chances(asked.people, expected),
        identity().label,
        now_s,
        now_s + asked.hours * 3600,
    )
    store.start(made)
    log("started an audit", f"{name}: {asked.people} people")
    return made


def _cameras(asked: NewAudit) -> tuple[str, list[Camera]]:
    if (asked.camera_id is None) == (asked.group is None):
        raise QueryError("camera_id, group: expected one of them")
    if asked.camera_id is not None:
        camera = require_camera("operator", asked.camera_id)
        return camera.name, [camera]
    group = str(asked.group)
    require_group("operator", group)
    found = [one for one in visible_cameras(services().cameras.all()) if one.group == group]
    if not found:
        raise QueryError(f"group: no camera is in {group!r}")
    return group or "Cameras without a group", found


def _expected(cameras: list[Camera], for_s: float, now_s: float) -> dict[Verdict, float]:
    """Return how many people will pass if they do as in the last day; empty if it does not tell."""
    report = make_report(
        services().history, cameras, {}, cut(now_s - DAY_S, now_s, DAY_S, UTC), now_s
    )
    if report.total.analysed_s < LEAST_ANALYSED_S:
        return {}
    share = for_s * len(cameras) / report.total.analysed_s
    return {verdict: report.total.people[verdict] * share for verdict in VERDICTS}


def visible_audits() -> list[Audit]:
    """Return the audits whose cameras the client operates, newest first."""
    groups = {camera.id: camera.group for camera in services().roster.cameras()}
    return [audit for audit in services().audits.all() if _may_judge(audit, groups)]


def _may_judge(audit: Audit, groups: dict[str, str]) -> bool:
    grants = identity().grants
    # Of cameras that were removed, only operators of all cameras see the figures.
    return all(
        grants.allow("operator", groups[camera_id])
        if camera_id in groups
        else grants.allow_everywhere("operator")
        for camera_id in audit.camera_ids
    )


def find_audit(audit_id: str) -> Audit:
    """Return an audit whose cameras the client operates; raise 404 for others."""
    for audit in visible_audits():
        if audit.id == audit_id:
            return audit
    raise NotFound("no audit of cameras that you operate has this id")


def is_running(audit: Audit) -> bool:
    """Whether people are drawn for the audit now."""
    return any(one.id == audit.id for one in services().audits.running(services().clock()))


def waiting(found: AuditFindings) -> list[DrawnPerson]:
    """Return who waits for the client's answer, longest first."""
    judge, answers = identity().label, found.answers
    asked = [
        person
        for person in found.drawn
        if person.pictures
        and judge not in (given := [one.judge for one in answers.get(person.id, [])])
        and len(given) < person.judges
        and services().clock() - person.last_seen_s < PICTURES_KEPT_S
    ]
    there = services().audits.with_pictures(found.audit.id, [person.id for person in asked])
    return sorted(
        (person for person in asked if person.id in there), key=lambda person: person.last_seen_s
    )


def find_person(found: AuditFindings, person_id: str) -> DrawnPerson:
    """Return a drawn person; raise 404 if there is none with this id."""
    for person in found.drawn:
        if person.id == person_id:
            return person
    raise NotFound("nobody with this id was drawn for the audit")


def judge(found: AuditFindings, person: DrawnPerson, answer: Answer) -> None:
    """Store the client's answer; raise 403 if the person needs none from them."""
    if person.id not in {one.id for one in waiting(found)}:
        raise Forbidden("this person waits for no answer of yours: judged already, or too old")
    given = len(found.answers.get(person.id, []))
    made = Judgement(person.id, identity().label, answer, services().clock())
    services().audits.judge(found.audit, made, done=given + 1 >= person.judges)


def take_back(found: AuditFindings, person: DrawnPerson) -> None:
    """Take the client's answer back; raise 404 once the pictures are gone."""
    mine = identity().label
    if not any(one.judge == mine for one in found.answers.get(person.id, [])):
        raise NotFound("you have not judged this person")
    if not services().audits.take_back(found.audit, person, mine):
        raise NotFound("the pictures of this person are gone, so the answer stays")


def stop(audit: Audit) -> None:
    """Draw nobody any more for an audit."""
    services().audits.stop(audit.id)
    log("stopped an audit", audit.name)


def remove(audit: Audit) -> None:
    """Delete an audit with all its answers."""
    services().audits.remove(audit)
    log("removed an audit", audit.name)
