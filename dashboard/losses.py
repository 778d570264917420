"""Asks before a button deletes data: a page that names the losses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from flask import render_template, request

from dashboard.accounts.access import audit_is_done
from dashboard.accounts.forms import PlainForm

MOST_NAMED: Final = 8
"""Most things that a sentence names; it counts the rest."""


def ask_first(title: str, lost: Sequence[str], act: str, back: str) -> Any:
    """Return the page that names the losses; None if the client has seen it and agreed.

    `title` is the question, `lost` has a sentence for each loss, `act` labels the button that
    deletes, and `back` is the target of the other button.
    """
    if request.method == "POST" and request.form.get("confirmed") == "yes":
        return None
    audit_is_done()
    return render_template(
        "confirm.html", title=title, lost=lost, act=act, back=back, button=PlainForm(formdata=None)
    )


def amount(count: int, one: str, many: str = "") -> str:
    """Return a number with its noun: `1 rule`, `12,345 people`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def named(names: Sequence[str]) -> str:
    """Return a list in words: `Gate, Door and 3 more`."""
    shown = ", ".join(names[:MOST_NAMED])
    more = len(names) - MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown
