"""The form of an alert rule: percent and minutes in place of the rule's shares and seconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    FloatField,
    IntegerField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.validators import InputRequired, Length, NumberRange
from wtforms.widgets import CheckboxInput, ListWidget, TimeInput

from contract.alerts.rules import DAY_S, AlertKind, AlertRule, RateLow
from contract.alerts.schedule import DAYS
from dashboard.accounts.scopes import group_scope

DAY_WORDS: Final = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}


class ManyField(SelectMultipleField):  # type: ignore[misc]
    """A field of checkboxes."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class RuleForm(FlaskForm):  # type: ignore[misc]
    """The fields that every rule has."""

    name = StringField("Name", [InputRequired("Enter a name for the rule."), Length(max=80)])
    scope = SelectField("Cameras", description="Each camera is evaluated separately.")
    only_at = BooleanField("Only during these hours")
    days = ManyField("Days", choices=[SelectChoice(day, DAY_WORDS[day]) for day in DAYS])
    begin = StringField("From", default="06:00", widget=TimeInput())
    end = StringField("To", default="22:00", widget=TimeInput())
    tz = StringField("Time zone", [Length(max=64)], default="UTC")
    cool_down_minutes = IntegerField(
        "Cooldown, minutes",
        [InputRequired("Enter minutes; 0 means no cooldown."), NumberRange(0, 10_080)],
        default=15,
        description="Shortest time between two alerts at the same camera.",
    )
    channels = ManyField("Notify")
    enabled = BooleanField("Enabled", default=True)

    def condition(self) -> dict[str, Any]:
        """Return the rule's condition."""
        raise NotImplementedError

    def show_condition(self, rule: AlertRule) -> None:
        """Fill in the condition."""
        raise NotImplementedError

    def fields(self) -> dict[str, Any]:
        """Return the rule's fields from the form."""
        kind, _, named = str(self.scope.data).partition(":")
        hours = {name: self[name].data for name in ("days", "begin", "end", "tz")}
        return {
            "name": self.name.data,
            "camera_id": named if kind == "camera" else "",
            "group": named if kind == "group" else "",
            "when": self.condition(),
            "schedule": hours if self.only_at.data else None,
            "cool_down_minutes": self.cool_down_minutes.data,
            "channels": tuple(self.channels.data or ()),
            "enabled": bool(self.enabled.data),
        }

    def show(self, rule: AlertRule) -> None:
        """Fill in a rule."""
        self.name.data, self.enabled.data = rule.name, rule.enabled
        self.scope.data = scope_of(rule)
        self.cool_down_minutes.data = rule.cool_down_minutes
        self.channels.data = list(rule.channels)
        self.only_at.data = rule.schedule is not None
        if rule.schedule is not None:
            self.days.data = list(rule.schedule.days)
            self.begin.data, self.end.data = rule.schedule.begin, rule.schedule.end
            self.tz.data = rule.schedule.tz
        self.show_condition(rule)


class RateForm(RuleForm):
    """The form for a low mask rate."""

    below = FloatField(
        "Alert below, %",
        [InputRequired("Enter a percentage."), NumberRange(0.1, 100)],
        default=80,
        description="Share of people with a mask, of all people with a verdict.",
    )
    minutes = IntegerField(
        "Time window, minutes",
        [InputRequired("Enter a number of minutes."), NumberRange(1, 1440)],
        default=15,
        description="Minutes without a valid picture do not count.",
    )
    people = IntegerField(
        "Minimum people",
        [InputRequired("Enter a number of people."), NumberRange(1, 100_000)],
        default=20,
        description="With fewer people, the rule does not decide.",
    )
    margin = FloatField(
        "Margin, %",
        [
            InputRequired("Enter a percentage; 0 resolves the alert at the limit."),
            NumberRange(0, 99),
        ],
        default=5,
        description="The alert is resolved at the limit plus this, which avoids flapping.",
    )
    shown = ("below", "minutes", "people", "margin")

    def condition(self) -> dict[str, Any]:
        return {
            "kind": "rate",
            "below": round(self.below.data / 100, 6),
            "minutes": self.minutes.data,
            "people": self.people.data,
            "margin": round(self.margin.data / 100, 6),
        }

    def show_condition(self, rule: AlertRule) -> None:
        if isinstance(rule.when, RateLow):
            self.below.data = _percent(rule.when.below)
            self.margin.data = _percent(rule.when.margin)
            self.minutes.data, self.people.data = rule.when.minutes, rule.when.people


class _LastingForm(RuleForm):
    kind: AlertKind
    shown = ("for_s", "clear_s")

    def condition(self) -> dict[str, Any]:
        return {"kind": self.kind, "for_s": self.for_s.data, "clear_s": self.clear_s.data}

    def show_condition(self, rule: AlertRule) -> None:
        if not isinstance(rule.when, RateLow):
            self.for_s.data, self.clear_s.data = rule.when.for_s, rule.when.clear_s


class OfflineForm(_LastingForm):
    """The form for a camera without pictures."""

    kind: AlertKind = "offline"
    for_s = IntegerField(
        "Seconds offline until the alert opens",
        [InputRequired("Enter a number of seconds."), NumberRange(5, DAY_S)],
        default=60,
    )
    clear_s = IntegerField(
        "Seconds live until it is resolved",
        [InputRequired("Enter a number of seconds."), NumberRange(0, DAY_S)],
        default=30,
    )


class QualityForm(_LastingForm):
    """The form for an unreliable picture."""

    kind: AlertKind = "quality"
    for_s = IntegerField(
        "Seconds unreliable until the alert opens",
        [InputRequired("Enter a number of seconds."), NumberRange(0, DAY_S)],
        default=30,
        description="Black, covered, frozen, moved or heavily blurred.",
    )
    clear_s = IntegerField(
        "Seconds reliable until it is resolved",
        [InputRequired("Enter a number of seconds."), NumberRange(0, DAY_S)],
        default=30,
    )


FORMS: Final[dict[str, type[RuleForm]]] = {
    "rate": RateForm,
    "offline": OfflineForm,
    "quality": QualityForm,
}


def _percent(share: float) -> float:
    percent = round(share * 100, 4)
    return int(percent) if percent == int(percent) else percent


def scope_of(rule: AlertRule) -> str:
    """Return a rule's scope as the form's choice."""
    if rule.camera_id:
        return f"camera:{rule.camera_id}"
    return group_scope(rule.group)


def offer(
    form: RuleForm, scopes: Sequence[tuple[str, str]], channels: Sequence[tuple[str, str]]
) -> None:
    """Set the choices of scopes and channels, each a value and its words."""
    form.scope.choices = [SelectChoice(value, words) for value, words in scopes]
    form.channels.choices = [SelectChoice(value, words) for value, words in channels]
