"""Messages of alerts: the JSON of webhooks and the text of e-mails."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

from contract.alerts.alerts import Alert, Delivery
from contract.alerts.channels import EmailChannel
from contract.alerts.rules import KIND_WORDS

TEST_WORDS: Final = "This is a test. Maskwatch sends its alerts here."


def webhook_body(delivery: Delivery) -> bytes:
    """Return the JSON to post: `type`, `timestamp` of the event, and `data`.

    Every attempt posts the same bytes, so that a receiver can recognise a repeat.
    """
    alert = delivery.alert
    if alert is None:
        data: dict[str, object] = {"words": TEST_WORDS}
    else:
        data = {
            "alert_id": alert.id,
            "kind": alert.kind,
            "rule": {"id": alert.rule_id, "name": alert.rule},
            "camera": {"id": alert.camera_id, "name": alert.camera, "group": alert.group},
            "opened_at": _moment(alert.opened_at_s),
            "closed_at": None if alert.closed_at_s is None else _moment(alert.closed_at_s),
            "words": alert.closed_words if delivery.event == "closed" else alert.words,
        }
    at = _moment(delivery.created_at_s)
    body = {"type": f"alert.{delivery.event}", "timestamp": at, "data": data}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def mail(delivery: Delivery, channel: EmailChannel) -> EmailMessage:
    """The e-mail of a message. Its Message-ID is the same for every attempt."""
    message = EmailMessage()
    message["From"], message["To"] = channel.sender, ", ".join(channel.to)
    message["Subject"] = _subject(delivery)
    message["Date"] = format_datetime(datetime.fromtimestamp(delivery.created_at_s, UTC))
    message["Message-ID"] = f"<{delivery.id}@{channel.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_text(delivery))
    return message


def _subject(delivery: Delivery) -> str:
    alert = delivery.alert
    if alert is None:
        return "Maskwatch: test message"
    resolved = "Resolved: " if delivery.event == "closed" else ""
    return f"Maskwatch: {resolved}{KIND_WORDS[alert.kind]} at {alert.camera}"


def _text(delivery: Delivery) -> str:
    alert = delivery.alert
    if alert is None:
        return TEST_WORDS + "\n"
    lines = [alert.words]
    if delivery.event == "closed":
        lines = [f"Resolved: {alert.closed_words}", "", f"The alert was: {alert.words}"]
    return "\n".join([*lines, "", *_facts(alert), ""])


def _facts(alert: Alert) -> list[str]:
    facts = {
        "Camera": f"{alert.camera} ({alert.group})" if alert.group else alert.camera,
        "Rule": alert.rule,
        "Opened": _moment(alert.opened_at_s),
        "Resolved": "" if alert.closed_at_s is None else _moment(alert.closed_at_s),
    }
    return [f"{name}: {value}" for name, value in facts.items() if value]


def _moment(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
