"""Names: composed, told apart by people, and refused in words that say which character."""

from __future__ import annotations

import unicodedata

import pytest
from flask.testing import FlaskClient
from redis import Redis

from bus.stores.cameras import CameraRegistry
from contract.accounts.grants import parse_grants
from contract.alerts.rules import make_rule
from contract.cameras.camera import make_camera
from contract.errors import AccountError, AlertError, CameraConfigError, CameraNameTakenError
from contract.names import alike, check_name
from dashboard.cameras.file.forms import read_cameras
from dashboard.cameras.file.plan import make_plan
from tests.accounts import PASSWORD, accounts_of, key_client, make_app, make_user, sign_in
from tests.alerts import add_email, add_rule, add_webhook
from tests.secret_key import cameras_of

WIDE = {code: code + 0xFEE0 for code in range(ord("!"), ord("~"))}
NFC, NFD = "Gänge Ost", unicodedata.normalize("NFD", "Gänge Ost")
PERSIAN = "در\u200cب ورودی"
HINDI = "क्\u200dष द्वार"
FAMILY = "Gate 👩\u200d👩\u200d👧"
RAINBOW = "🏳\ufe0f\u200d🌈 gate"


def wide(name: str) -> str:
    """A name in the full-width letters of Chinese and Japanese keyboards."""
    return name.translate(WIDE)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Gate\xa01", "character 5 is U+00A0 NO-BREAK SPACE, which looks like a blank"),
        ("Gate\u20091", "U+2009 THIN SPACE, which looks like a blank"),
        ("\u3000Gate", "character 1 is U+3000 IDEOGRAPHIC SPACE"),
        ("Ga\u200bte", "character 3 is U+200B ZERO WIDTH SPACE, which is invisible"),
        ("Gate\ufeff", "U+FEFF ZERO WIDTH NO-BREAK SPACE, which is invisible"),
        ("Ga\xadte", "U+00AD SOFT HYPHEN, which is invisible"),
        ("\u202eetaG", "U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("Gate\n2", "character 5 is U+000A LINE FEED, which is not printable"),
        ("Gate\x9b2", "U+009B a character without a name"),
        ("Gate\u2028", "U+2028 LINE SEPARATOR"),
        ("Gate\ud800", "U+D800"),
        ("Gate\u3164", "U+3164 HANGUL FILLER, which is invisible"),
        ("G\u200date", "character 2 is U+200D ZERO WIDTH JOINER, which joins nothing here"),
        ("\u200cدر", "character 1 is U+200C ZERO WIDTH NON-JOINER, which joins nothing here"),
        ("در \u200cب", "character 4 is U+200C"),
        ("\u200d\u200c", "joins nothing"),
        (" \u0301", "visible character"),
    ],
)
def test_a_character_that_may_not_be_in_a_name_is_told_by_its_name_and_place(
    name: str, words: str
) -> None:
    with pytest.raises(ValueError, match="character") as caught:
        check_name(name)
    assert words in str(caught.value)


@pytest.mark.parametrize("name", [PERSIAN, HINDI, FAMILY, RAINBOW, "东门", "Größe & Ähre", "ｶﾒﾗ 1"])
def test_names_are_taken_as_people_spell_them(name: str) -> None:
    assert check_name(name) == unicodedata.normalize("NFC", name)


def test_a_name_is_kept_composed_however_it_was_typed() -> None:
    assert NFC != NFD
    camera = make_camera(name=NFD, source="demo:", group=NFD)
    assert (camera.name, camera.group) == (NFC, NFC)
    assert parse_grants([f"viewer:{NFD}"]) == {NFC: "viewer"}
    assert make_rule(name=NFD, when={"kind": "offline"}).name == NFC


LOOK_ALIKES = [
    ("Gänge Ost", NFD),
    ("Gate 1", "GATE 1"),
    ("Gate 1", "Gate  1"),
    ("Gate 1", wide("Gate 1")),
    ("Straße", "STRASSE"),
    (PERSIAN, PERSIAN.replace("\u200c", "")),
    ("Gate ❤", "Gate ❤\ufe0f"),
    ("Ǆ", "ǆ"),
]


@pytest.mark.parametrize(("one", "other"), LOOK_ALIKES)
def test_names_that_look_the_same_count_as_one(one: str, other: str) -> None:
    assert alike(one) == alike(other)
    assert alike(one) != alike(one + "2")


@pytest.mark.parametrize(("one", "other"), LOOK_ALIKES)
def test_a_look_alike_of_an_existing_name_is_refused_everywhere(
    redis: Redis, one: str, other: str
) -> None:
    registry = cameras_of(redis)
    registry.add(make_camera(name=one, source="demo:", group="East"))
    with pytest.raises(CameraNameTakenError, match="is called"):
        registry.add(make_camera(name=other, source="demo:", group="East"))
    users = accounts_of(redis)
    users.users.add(one, {"*": "viewer"})
    with pytest.raises(AccountError, match="already has the name"):
        users.users.add(other, {"*": "viewer"})
    users.api_keys.add(one, {"*": "viewer"}, 1, "a test")
    with pytest.raises(AccountError, match="already has the name"):
        users.api_keys.add(other, {"*": "viewer"}, 1, "a test")
    add_rule(redis, name=one)
    with pytest.raises(AlertError, match="already has the name"):
        add_rule(redis, name=other)
    add_webhook(redis, "http://127.0.0.1:9/", name=one)
    with pytest.raises(AlertError, match="already has the name"):
        add_email(redis, 25, name=other)
    shapes = [{"name": name, "points": [[0.1, 0.6], [0.9, 0.6]]} for name in (one, other)]
    with pytest.raises(CameraConfigError, match="two shapes have the name"):
        make_camera(name="x", source="demo:", lines=shapes)


@pytest.mark.parametrize("add", ["one", "file"])
def test_a_look_alike_of_an_existing_group_is_refused_and_the_existing_one_named(
    redis: Redis, add: str
) -> None:
    registry = cameras_of(redis)
    registry.add(make_camera(name="One", source="demo:", group="Terminal 2"))
    if add == "one":
        with pytest.raises(CameraConfigError, match="'Terminal 2' exists and looks like"):
            registry.add(make_camera(name="Two", source="demo:", group="terminal 2"))
    else:
        text = "name,source,group\nTwo,demo:,terminal 2\nThree,demo:,Terminal 2\n"
        plan = make_plan(
            read_cameras("csv", text.encode()), registry.all(), lambda *_: True, lambda _: True
        )
        assert [row.outcome for row in plan.rows] == ["refused", "added"]
        assert "'Terminal 2' looks like it" in plan.rows[0].problems[0].detail
    registry.add(make_camera(name="Four", source="demo:", group="Terminal 2"))


def test_cameras_that_looked_alike_before_the_rule_can_still_be_changed(redis: Redis) -> None:
    registry: CameraRegistry = cameras_of(redis)
    one, two = (make_camera(name=name, source="demo:", group="G") for name in ("Gate 1", "Hall"))
    twin = two.model_copy(update={"name": "Gate  1"})
    registry.apply(registry.revision(), [one, twin], [])
    assert registry.update(twin.id, analysis_fps=2.0).analysis_fps == 2.0
    with pytest.raises(CameraNameTakenError):
        registry.update(twin.id, name="GATE 1")


def test_guesses_at_look_alikes_of_one_account_are_counted_together(redis: Redis) -> None:
    make_user(redis, "Ada")
    client: FlaskClient = make_app(redis).test_client()
    tried = ["Ada", "ADA", wide("Ada"), "A\u200dda", "Ad\ufe0fa", wide("aDA"), " ada "]
    statuses = [sign_in(client, name, "wrong").status_code for name in tried]
    assert statuses.count(429) == len(tried) - 5
    assert sign_in(make_app(redis).test_client(), wide("Ada"), PASSWORD).status_code in (302, 429)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("enabled", "WAHR", "expected true or false"),
        ("enabled", "ja", "expected true or false"),
        ("enabled", "VRAI", "expected true or false"),
        ("analysis_fps", "schnell", "expected a number"),
        ("analysis_fps", "NaN", "expected"),
        ("jpeg_quality", "85.5", "expected a whole number"),
        ("jpeg_quality", "5", "expected at least 30"),
        ("max_width", "99999", "expected at most 7680"),
        ("detector", "yolo", "expected 'maskwatch', 'yunet' or 'ssd'"),
        ("name", "x" * 81, "expected at most 80 characters"),
        ("name", "Gate\xa01", "U+00A0 NO-BREAK SPACE"),
    ],
)
def test_a_cell_that_cannot_be_used_is_told_in_our_words_with_row_and_column(
    redis: Redis, column: str, value: str, words: str
) -> None:
    given = {"name": "Gate", "source": "demo:", column: value}
    head, row = ",".join(given), ",".join(given.values())
    text = f"{head}\nHall,demo:\n\n{row}\n".encode()
    client = key_client(make_app(redis), redis)
    path = "/api/v1/cameras/import?dry_run=true"
    answer = client.post(path, data=text, content_type="text/csv")
    [refused] = [one for one in answer.json["cameras"] if one["outcome"] == "refused"]
    assert refused["line"] == 4
    [problem] = refused["problems"]
    assert problem["field"] == column
    assert words in problem["detail"]
    assert "Input should" not in problem["detail"]
    assert "pydantic" not in answer.text
