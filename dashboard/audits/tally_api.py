"""Tallies as JSON, and the page on which somebody counts."""

from __future__ import annotations

from flask import Blueprint, render_template

from contract.people.tallies import SETTLED_S, TALLY_S
from dashboard.accounts.access import requires
from dashboard.audits import tallies as work
from dashboard.audits.tally_answers import NewTally, TalliesAnswer, TallyAnswer
from dashboard.services import services
from dashboard.web.answering import answers
from dashboard.web.requests import body

blueprint = Blueprint("tally_api", __name__)


@blueprint.get("/api/v1/cameras/<camera_id>/tallies")
@requires("operator")
@answers()
def tallies(camera_id: str) -> TalliesAnswer:
    """Return the last tallies: people seen by somebody beside people counted."""
    camera = services().cameras.get(camera_id)
    found = services().tallies.all(camera.id)
    return TalliesAnswer(camera_id=camera.id, tallies=[TallyAnswer.of(one) for one in found])


@blueprint.post("/api/v1/cameras/<camera_id>/tallies")
@requires("operator")
@answers(201, body=NewTally)
def add(camera_id: str) -> TallyAnswer:
    """Compare whom somebody saw leave the picture with whom Maskwatch counted."""
    return TallyAnswer.of(work.add(services().cameras.get(camera_id), body(NewTally)))


@blueprint.get("/cameras/<camera_id>/tally")
@requires("operator")
def page(camera_id: str) -> str:
    """The page on which people are counted by eye."""
    return render_template(
        "tally.html",
        camera=services().cameras.get(camera_id),
        tallies=services().tallies.all(camera_id),
        tally_s=round(TALLY_S),
        settled_s=round(SETTLED_S),
    )
