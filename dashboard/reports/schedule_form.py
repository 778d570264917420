"""The form of a report's schedule."""

from __future__ import annotations

import re
from typing import Any, Final

from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectChoice, SelectField, StringField
from wtforms.validators import InputRequired, Length
from wtforms.widgets import TimeInput

from contract.alerts.report_schedules import ReportSchedule
from dashboard.accounts.scopes import ALL, group_scope

PLAIN: Final = ("name", "kind", "at", "tz", "channel_id", "enabled")


class ScheduleForm(FlaskForm):  # type: ignore[misc]
    """Which report goes to whom, and when. The page offers the cameras and channels."""

    name = StringField("Name", [InputRequired("Enter a name for the report."), Length(max=80)])
    scope = SelectField("Cameras")
    kind = SelectField(
        "Report of",
        choices=[
            SelectChoice("week", "each week, sent on Monday"),
            SelectChoice("month", "each month, sent on the first day of the next"),
        ],
    )
    at = StringField("Time", [InputRequired("Enter a time.")], default="06:00", widget=TimeInput())
    tz = StringField("Time zone", [Length(max=64)], default="UTC")
    channel_id = SelectField(
        "Mail server", description="The server and sender of this e-mail channel are used."
    )
    to = StringField(
        "To",
        [InputRequired("To whom?"), Length(max=5000)],
        description="Addresses, separated by commas.",
    )
    enabled = BooleanField("Enabled", default=True)

    def fields(self) -> dict[str, Any]:
        """Return the schedule's fields from the form."""
        given = {name: self[name].data for name in PLAIN}
        group = str(self.scope.data).removeprefix("group:") if self.scope.data != ALL else ""
        to = tuple(filter(None, re.split(r"[,;\s]+", str(self.to.data))))
        return {**given, "group": group, "to": to}

    def show(self, schedule: ReportSchedule) -> None:
        """Fill in a schedule."""
        for name in PLAIN:
            self[name].data = getattr(schedule, name)
        self.scope.data = group_scope(schedule.group)
        self.to.data = ", ".join(schedule.to)
