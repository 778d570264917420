"""Nothing that counts goes by one click: the page between a button and what it would delete."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from flask import render_template, request

from dashboard.accounts.access import audit_is_done
from dashboard.accounts.forms import PlainForm

MOST_NAMED: Final = 8
"""Things that a sentence names one by one; it counts the others."""


def ask_first(title: str, lost: Sequence[str], act: str, back: str) -> Any:
    """The page that names what is lost, or None where whoever asks has seen it and said yes.

    `title` asks, `lost` has a sentence for each loss, `act` is on the button that deletes, and
    `back` is where the other button leads.
    """
    if request.method == "POST" and request.form.get("confirmed") == "yes":
        return None
    audit_is_done()
    return render_template(
        "confirm.html", title=title, lost=lost, act=act, back=back, button=PlainForm(formdata=None)
    )


def amount(count: int, one: str, many: str = "") -> str:
    """For people: `1 rule`, `12,345 people`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def named(names: Sequence[str]) -> str:
    """For people: `Gate, Door and 3 more`."""
    shown = ", ".join(names[:MOST_NAMED])
    more = len(names) - MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown
