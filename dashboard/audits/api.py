"""Audits as JSON."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, url_for
from werkzeug.exceptions import NotFound

from dashboard.accounts.access import audit_is_done, requires
from dashboard.audits import audits as work
from dashboard.audits.answers import (
    AuditResult,
    AuditsAnswer,
    AuditSummary,
    JudgementAsked,
    NewAudit,
    NextPerson,
    PersonToJudge,
)
from dashboard.services import services
from dashboard.web.answering import Answer, answers
from dashboard.web.requests import body

blueprint = Blueprint("audit_run_api", __name__, url_prefix="/api/v1/audits")


@blueprint.get("")
@requires("operator")
@answers()
def audits() -> AuditsAnswer:
    """Return the audits of cameras that you operate, newest first."""
    store = services().audits
    running = {audit.id for audit in store.running(services().clock())}
    found = [store.findings(audit) for audit in work.visible_audits()]
    return AuditsAnswer(
        audits=[
            AuditSummary.model_validate(AuditSummary.fields(one, one.audit.id in running))
            for one in found
        ]
    )


@blueprint.post("")
@requires("operator")
@answers(201, body=NewAudit)
def start() -> Answer[AuditResult]:
    """Start an audit: from now on, people are drawn until there are enough."""
    made = work.start(body(NewAudit))
    where = url_for("audit_run_api.audit", audit_id=made.id)
    return Answer(_answer(made.id), headers={"Location": where})


@blueprint.get("/<audit_id>")
@requires("operator")
@answers()
def audit(audit_id: str) -> AuditResult:
    """Return an audit: what was judged, how far judges agree, and advice."""
    return _answer(audit_id)


@blueprint.post("/<audit_id>/stop")
@requires("operator")
@answers()
def stop(audit_id: str) -> AuditResult:
    """Draw nobody any more. Who was drawn can still be judged."""
    work.stop(work.find_audit(audit_id))
    return _answer(audit_id)


@blueprint.delete("/<audit_id>")
@requires("operator")
@answers()
def remove(audit_id: str) -> None:
    """Delete an audit, its answers and its pictures."""
    work.remove(work.find_audit(audit_id))


@blueprint.get("/<audit_id>/next")
@requires("operator")
@answers(no_store=True)
def next_person(audit_id: str) -> NextPerson:
    """Return whom you are to judge next, without the verdict."""
    found = services().audits.findings(work.find_audit(audit_id))
    waiting = work.waiting(found)
    person = None
    if waiting:
        first = waiting[0]
        paths = [
            url_for("audit_run_api.picture", audit_id=audit_id, person_id=first.id, number=number)
            for number in range(first.pictures)
        ]
        person = PersonToJudge(id=first.id, pictures=paths)
    return NextPerson(
        person=person,
        waiting=len(waiting),
        judged=found.judged,
        running=work.is_running(found.audit),
    )


@blueprint.get("/<audit_id>/people/<person_id>/pictures/<int:number>")
@requires("operator")
@answers(media="image/jpeg", no_store=True)
def picture(audit_id: str, person_id: str, number: int) -> Response:
    """Return a picture of a drawn person, until they are judged."""
    found = work.find_audit(audit_id)
    jpeg = services().audits.picture(found.id, person_id, number)
    if jpeg is None:
        raise NotFound("this picture is gone: the person was judged, or passed a day ago")
    answer = make_response(jpeg)
    answer.content_type = "image/jpeg"
    return answer


@blueprint.put("/<audit_id>/people/<person_id>/judgement")
@requires("operator")
@answers(body=JudgementAsked)
def judge(audit_id: str, person_id: str) -> None:
    """Say how a drawn person wore their mask."""
    found = services().audits.findings(work.find_audit(audit_id))
    work.judge(found, work.find_person(found, person_id), body(JudgementAsked).answer)
    audit_is_done()


@blueprint.delete("/<audit_id>/people/<person_id>/judgement")
@requires("operator")
@answers()
def take_back(audit_id: str, person_id: str) -> None:
    """Take your answer back, within a minute."""
    found = services().audits.findings(work.find_audit(audit_id))
    work.take_back(found, work.find_person(found, person_id))
    audit_is_done()


def _answer(audit_id: str) -> AuditResult:
    found = services().audits.findings(work.find_audit(audit_id))
    return AuditResult.of(found, work.is_running(found.audit))
