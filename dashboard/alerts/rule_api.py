"""Alert rules as JSON."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, url_for

from bus.stores.alert_rules import refuse_unknown
from contract.alerts.rules import RULE_CHANGEABLE, AlertRule, make_rule
from contract.errors import AlertError
from dashboard.accounts.access import audit, audit_change, requires
from dashboard.alerts.answers import NewRule, RuleAnswer, RuleChange, RulesAnswer
from dashboard.alerts.rights import (
    find_rule,
    may_change,
    require_rule,
    require_scope,
    visible_rules,
)
from dashboard.services import services
from dashboard.web.answering import Answer, answers
from dashboard.web.requests import json_object

blueprint = Blueprint("rule_api", __name__, url_prefix="/api/v1/alerts/rules")


@blueprint.get("")
@requires("viewer")
@answers()
def rules() -> RulesAnswer:
    """Return the rules about cameras that you may see, by name."""
    return RulesAnswer(rules=[_answer(rule) for rule in visible_rules()])


@blueprint.post("")
@requires("operator")
@answers(201, body=NewRule)
def add() -> Answer[RuleAnswer]:
    """Create a rule for one camera, a group, or all cameras. Maskwatch evaluates it within seconds.

    `when` is `{"kind": "rate", "below": 0.8, "minutes": 15, "people": 20, "margin": 0.05}`,
    `{"kind": "offline", "for_s": 60, "clear_s": 30}`, or `{"kind": "quality", "for_s": 30,
    "clear_s": 30}`.
    """
    body = json_object()
    refuse_unknown(body, RULE_CHANGEABLE)
    for name in ("name", "when"):
        if name not in body:
            raise AlertError(f"{name}: a rule needs one")
    rule = keep_new_rule(body)
    where = url_for("rule_api.rule", rule_id=rule.id)
    return Answer(_answer(rule), headers={"Location": where})


@blueprint.get("/<rule_id>")
@requires("viewer")
@answers()
def rule(rule_id: str) -> RuleAnswer:
    """Return a rule."""
    return _answer(find_rule(rule_id))


@blueprint.patch("/<rule_id>")
@requires("operator")
@answers(body=RuleChange)
def change(rule_id: str) -> RuleAnswer:
    """Change fields of a rule. A new `when` or `schedule` replaces the whole old one."""
    return _answer(change_rule(find_rule(rule_id), json_object()))


@blueprint.delete("/<rule_id>")
@requires("operator")
@answers()
def remove(rule_id: str) -> None:
    """Remove a rule, and close its open alerts."""
    remove_rule(find_rule(rule_id))


def keep_new_rule(fields: dict[str, Any]) -> AlertRule:
    """Save a rule made of `fields`; raises 403 and `AlertError`."""
    made = make_rule(**fields)
    require_scope(made)
    services().rules.add(made)
    audit("made an alert rule", made.name)
    return made


def change_rule(before: AlertRule, changes: dict[str, Any]) -> AlertRule:
    """Change a rule. The client needs rights for the old and for the new scope."""
    require_rule(before)
    refuse_unknown(changes, RULE_CHANGEABLE)
    wanted = make_rule(**{name: getattr(before, name) for name in RULE_CHANGEABLE} | changes)
    if changes.keys() & {"camera_id", "group", "channels"}:
        require_scope(wanted)
    after = services().rules.update(before, **changes)
    audit_change("changed an alert rule", after.name, changes, before, after)
    return after


def remove_rule(rule: AlertRule) -> None:
    """Remove a rule; raises 403."""
    require_rule(rule)
    services().rules.remove(rule.id)
    audit("removed an alert rule", rule.name)


def _answer(rule: AlertRule) -> RuleAnswer:
    return RuleAnswer(**dict(rule), words=rule.when.words(), may_change=may_change(rule))
