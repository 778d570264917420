"""Names that people type, and what machines say, as they are kept and shown."""

from __future__ import annotations

import io
import json
import logging

import pytest
from pydantic import BaseModel, ValidationError

from contract.accounts.grants import parse_grants
from contract.cameras.camera import Camera, make_camera
from contract.errors import AccountError, CameraConfigError
from contract.plain_text import INSTEAD, STORED
from dashboard.downloads import save_as
from runtime import logs
from runtime.logs import LogFormat, configure_logging
from tests import product

PERSIAN = "در\u200cخروجی"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
REFUSED = {
    "line break": "Gate\n1",
    "carriage return": "Gate\r1",
    "escape": "Gate \x1b[2J1",
    "NUL": "Gate\x001",
    "C1": "Gate \x9b2J1",
    "next line": "Gate\x851",
    "line separator": "Gate\u20281",
    "right-to-left override": "Gate \u202e1",
    "isolate": "Gate \u20671",
    "byte order mark": "Gate\ufeff1",
    "half a character": "Gate \ud800",
    "nothing but joiners": "\u200d\u200c",
}
TYPED_BY_NOBODY = {
    "dashboard.accounts.answers",
    "dashboard.alerts.answers",
    "dashboard.audits.answers",
    "dashboard.audits.tally_answers",
    "dashboard.cameras.answers",
    "dashboard.cameras.setup_answers",
    "dashboard.compliance.answers",
    "dashboard.live.answers",
    "dashboard.overview.answers",
    "dashboard.reports.answers",
    "dashboard.try_it.answers",
    "dashboard.web.answers",
    "models.",
    "face_detector.",
    "dashboard.try_it.recording_api",
}
"""Where `name` is an answer's field, a file's, or one that is cleaned instead."""


def named_models() -> list[type[BaseModel]]:
    return [
        model
        for model in product.models()
        if "name" in model.model_fields and not model.__module__.startswith(tuple(TYPED_BY_NOBODY))
    ]


def problems_with(model: type[BaseModel], name: str) -> list[str]:
    """What is wrong with the field `name`, whatever else is missing."""
    try:
        model.model_validate({"name": name})
    except ValidationError as error:
        return [p["msg"] for p in error.errors() if p["loc"] == ("name",)]
    return []


@pytest.mark.parametrize("name", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("model", named_models(), ids=lambda model: model.__name__)
def test_every_name_that_people_type_is_plain_text(model: type[BaseModel], name: str) -> None:
    assert problems_with(model, name), f"{model.__name__}.name lacks PLAIN_NAME"


@pytest.mark.parametrize("name", ["Gate 1", "Größe & Ähre", PERSIAN, FAMILY, "东门", "שער"])
@pytest.mark.parametrize("model", named_models(), ids=lambda model: model.__name__)
def test_names_in_every_script_are_taken(model: type[BaseModel], name: str) -> None:
    assert problems_with(model, name) == []


def test_cameras_lines_zones_rules_channels_accounts_and_keys_are_all_looked_at() -> None:
    names = {model.__name__ for model in named_models()}
    assert names >= {
        "Camera",
        "CountingLine",
        "Zone",
        "AlertRule",
        "WebhookChannel",
        "EmailChannel",
    }
    assert names >= {"User", "ApiKey"}


@pytest.mark.parametrize("name", REFUSED.values(), ids=REFUSED)
def test_groups_are_plain_text_too(name: str) -> None:
    with pytest.raises(CameraConfigError, match="group"):
        make_camera(name="Gate", source="demo:", group=name)
    if name.strip("\u200c\u200d"):
        with pytest.raises(AccountError, match=r"U\+|visible"):
            parse_grants([f"viewer:{name}"])


def test_a_line_that_was_named_before_the_rule_keeps_its_camera() -> None:
    drawn = {"name": "Door", "points": [[0.1, 0.6], [0.9, 0.6]]}
    record = make_camera(name="Gate", source="demo:", lines=[drawn]).model_dump_json()
    before = record.replace("Door", r"Do\nor")
    found = Camera.model_validate_json(before, context=STORED)
    assert found.lines[0].name == f"Do{INSTEAD}or"


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_is_logged_forges_no_line_and_drives_no_terminal(
    form: LogFormat, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, written = logging.getLogger(), io.StringIO()
    before, level = root.handlers[:], root.level
    monkeypatch.setattr(logs.sys, "stderr", written)
    configure_logging("worker", "INFO", form)
    try:
        try:
            raise ValueError("bad\x9b\n2026-11-30T00:00:00.000Z ERROR   worker    forged")
        except ValueError:
            logging.getLogger("x").exception("a\x1b[2Jb\x85c\u202ed\x00\n2026 ERROR forged")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    text = written.getvalue()
    assert len([line for line in text.splitlines() if not line.startswith("  ")]) == 1
    shown = json.dumps(json.loads(text), ensure_ascii=False) if form == "json" else text
    assert not {"\x1b", "\x9b", "\x85", "\u202e", "\x00"} & set(shown)
    assert "forged" in shown


@pytest.mark.parametrize(
    "name", ["größe", PERSIAN, "a\r\nSet-Cookie: x", '"; x="', "\ud800", "", "x" * 500]
)
def test_a_download_has_a_name_that_any_header_can_carry(name: str) -> None:
    from flask import Response

    answer = save_as(Response(), name, "-annotated.jpg")
    value = answer.headers["Content-Disposition"]
    assert value.isascii()
    assert value.isprintable()
    assert "-annotated.jpg" in value
    assert len(value) < 2000
