"""Stores alert rules."""

from __future__ import annotations

import logging
from typing import Any

from pydantic import ValidationError
from redis import Redis

from bus.keys import AlertKeys
from contract.alerts.rules import MOST_RULES, RULE_CHANGEABLE, AlertRule, _validated, explain
from contract.errors import AlertError
from contract.names import alike
from contract.plain_text import STORED

_log = logging.getLogger(__name__)


class AlertRuleStore:
    """The rules in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def all(self) -> list[AlertRule]:
        """Return every rule by name; an unreadable one is logged and left out."""
        found: list[AlertRule] = []
        for rule_id, record in self._redis.hgetall(AlertKeys.RULES).items():
            try:
                found.append(AlertRule.model_validate_json(record, context=STORED))
            except ValidationError as error:
                _log.error("the alert rule %s is left out: %s", str(rule_id), explain(error))
        return sorted(found, key=lambda rule: (rule.name.lower(), rule.id))

    def ids(self) -> frozenset[str]:
        """Return the ids of all rules, including unreadable ones."""
        found = self._redis.hkeys(AlertKeys.RULES)
        return frozenset(name.decode() if isinstance(name, bytes) else name for name in found)

    def get(self, rule_id: str) -> AlertRule | None:
        """One rule, or None."""
        return next((rule for rule in self.all() if rule.id == rule_id), None)

    def add(self, rule: AlertRule) -> AlertRule:
        """Store a new rule; raise `AlertError` for a taken name, or too many rules."""
        others = self.all()
        if len(others) >= MOST_RULES:
            raise AlertError(f"there are already {MOST_RULES} rules, the maximum; remove one first")
        self._store(rule, others)
        return rule

    def update(self, rule: AlertRule, **changes: Any) -> AlertRule:
        """Change some fields; raise `AlertError` for an invalid value."""
        refuse_unknown(changes, RULE_CHANGEABLE)
        changed = _validated({**rule.model_dump(), **changes})
        self._store(changed, self.all())
        return changed

    def remove(self, rule_id: str) -> None:
        """Remove a rule; the evaluator closes its open alerts."""
        self._redis.hdel(AlertKeys.RULES, rule_id)

    def _store(self, rule: AlertRule, others: list[AlertRule]) -> None:
        # Names must differ only among rules with the same scope: an account that reads of a clash
        # may see the other rule.
        about, name = (rule.camera_id, rule.group), alike(rule.name)
        same = [o for o in others if (o.camera_id, o.group) == about and o.id != rule.id]
        if any(alike(o.name) == name for o in same):
            raise AlertError(f"name: another rule already has the name {rule.name!r}")
        self._redis.hset(AlertKeys.RULES, rule.id, rule.model_dump_json())


def refuse_unknown(fields: dict[str, Any], known: frozenset[str]) -> None:
    """Raise `AlertError` for a field that is not in `known`, rather than ignore it."""
    if unknown := fields.keys() - known:
        raise AlertError(
            f"unknown field {', '.join(sorted(unknown))[:80]}; expected {', '.join(sorted(known))}"
        )
