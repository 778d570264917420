"""Requests and answers of the API about audits."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from contract.people.audits import (
    LEAST_PEOPLE,
    LONGEST_HOURS,
    MOST_PEOPLE,
    Answer,
    Audit,
    AuditFindings,
)
from contract.people.verdicts import VERDICTS
from dashboard.audits.advice import advice_on
from dashboard.web.answers import FROM_RECORD, Counts


class NewAudit(BaseModel):
    """An audit to start, of a camera or of a group."""

    model_config = ConfigDict(extra="forbid")

    camera_id: str | None = None
    group: str | None = Field(None, max_length=80)
    people: int = Field(60, ge=LEAST_PEOPLE, le=MOST_PEOPLE, description="How many to judge.")
    hours: float = Field(
        4, gt=0, le=LONGEST_HOURS, description="Longest time for which people are drawn."
    )


class AuditSummary(BaseModel):
    """An audit, and how far it is."""

    id: str
    name: str = Field(description="The camera's or group's.")
    camera_ids: list[str]
    people: int
    started_by: str
    started_at_s: float
    ends_at_s: float
    running: bool = Field(description="Whether people are still drawn.")
    drawn: int
    judged: int

    @classmethod
    def fields(cls, found: AuditFindings, running: bool) -> dict[str, object]:
        """The fields of this model."""
        audit: Audit = found.audit
        shown = {name: getattr(audit, name) for name in cls.model_fields if hasattr(audit, name)}
        return {**shown, "running": running, "drawn": len(found.drawn), "judged": found.judged}


class JudgesAgreement(BaseModel):
    """How far two judges agree about people whom both judged."""

    model_config = FROM_RECORD

    people: int
    same: int
    kappa: float | None = Field(description="Cohen's kappa: 0 as by chance, 1 always.")


class AuditResult(AuditSummary):
    """An audit with what it found so far."""

    counted: Counts = Field(description="People who were counted while people were drawn.")
    table: dict[Answer, Counts] = Field(description="Judged people by answer and verdict.")
    agreement: JudgesAgreement
    advice: list[str]

    @classmethod
    def of(cls, found: AuditFindings, running: bool) -> AuditResult:
        """An audit's answer."""
        counted = {
            verdict: sum(people.get(verdict, 0) for people in found.counted.values())
            for verdict in VERDICTS
        }
        return cls.model_validate(
            {
                **cls.fields(found, running),
                "counted": counted,
                "table": found.table(),
                "agreement": vars(found.agreement()),
                "advice": advice_on(found),
            }
        )


class AuditsAnswer(BaseModel):
    """Audits of cameras that you operate, newest first."""

    audits: list[AuditSummary]


class PersonToJudge(BaseModel):
    """Somebody to judge; without the verdict."""

    id: str
    pictures: list[str] = Field(description="Paths of one to three JPEGs, the best first.")


class NextPerson(BaseModel):
    """Whom to judge next."""

    person: PersonToJudge | None = Field(description="Null while nobody waits.")
    waiting: int = Field(description="People who wait for you, with this one.")
    judged: int
    running: bool


class JudgementAsked(BaseModel):
    """How somebody wore their mask."""

    model_config = ConfigDict(extra="forbid")

    answer: Answer
