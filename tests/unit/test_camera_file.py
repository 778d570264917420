"""Many cameras as a file: written, read back, compared, refused."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.accounts.grants import Grants, Role
from contract.cameras.camera import Camera, make_camera
from contract.errors import CameraConfigError, CameraFileError
from contract.plain_text import FORMULA
from dashboard.cameras.file.entries import MOST_ENTRIES
from dashboard.cameras.file.forms import Form, read_cameras, write_cameras
from dashboard.cameras.file.plan import MayRead, Plan, make_plan
from dashboard.cameras.file.yaml_form import MOST_NODES

SECRET = "s3cret"  # noqa: S105 - a made-up one, looked for in what must not show it
SOURCE = f"rtsp://admin:{SECRET}@10.0.0.9/live"
SPACED = f"rtsp://adm in:{SECRET}@10.0.0.9/live"
FORMS: tuple[Form, ...] = ("yaml", "csv")
ALL: dict[str, Role] = {"*": "administrator"}


def any_file(source: str) -> bool:
    del source
    return True


names = st.text(min_size=1, max_size=80).filter(lambda text: text.isprintable() and text.strip())
sources = st.one_of(
    names,
    st.builds("rtsp://{}:{}@10.0.0.9/{}".format, names, names, names),
    st.sampled_from(["0", "demo:", "/dev/video0", "=1+1", "'=1", "12:30", "on", "null", "1e3"]),
)
points = st.tuples(st.floats(0, 1), st.floats(0, 1))
lines = st.lists(
    st.fixed_dictionaries({"name": names, "points": st.lists(points, min_size=2, max_size=3)}),
    max_size=2,
)


@st.composite
def cameras(draw: st.DrawFn) -> list[Camera]:
    made: dict[str, Camera] = {}
    for _ in range(draw(st.integers(1, 4))):
        fields = {
            "name": draw(names),
            "source": draw(sources),
            "group": draw(st.one_of(st.just(""), names)),
            "enabled": draw(st.booleans()),
            "analysis_fps": draw(st.floats(0.1, 60)),
            "jpeg_quality": draw(st.integers(30, 100)),
            "rotate": draw(st.sampled_from([0, 90, 180, 270])),
            "aspect": draw(st.sampled_from(["", "16:9", "2.39:1"])),
            "stream": draw(st.integers(0, 32)),
            "detector": draw(st.sampled_from([None, "yunet", "ssd"])),
            "detector_width": draw(st.sampled_from([None, 640, 960, 1280, "auto"])),
            "lines": draw(lines),
        }
        try:
            camera = make_camera(**fields)
        except CameraConfigError:  # such as a line that crosses itself
            camera = make_camera(name=f"Gate {len(made)}", source="demo:")
        made.setdefault(camera.name.lower(), camera)
    return list(made.values())


@given(cameras(), st.sampled_from(FORMS))
def test_a_file_that_was_exported_changes_nothing(found: list[Camera], form: Form) -> None:
    exported = write_cameras(form, found).encode()
    plan = make_plan(read_cameras(form, exported), found, Grants(ALL).allow, any_file)
    assert [row.outcome for row in plan.rows] == ["unchanged"] * len(found), plan
    assert [row.camera for row in plan.rows] == found


@pytest.mark.parametrize("form", FORMS)
def test_no_password_is_exported_and_a_change_keeps_it(form: Form) -> None:
    gate = make_camera(name="Gate", source=SOURCE)
    text = write_cameras(form, [gate])
    assert SECRET not in text
    assert "rtsp://***@10.0.0.9/live" in text
    [row] = plan_of(text.replace("Gate", "Gate 2"), [gate], form=form).rows
    assert (row.outcome, [change.field for change in row.changes]) == ("changed", ["name"])
    assert row.camera is not None
    assert row.camera.source == SOURCE


def test_stars_in_another_address_are_refused_and_a_new_password_is_taken_unseen() -> None:
    gate = make_camera(name="Gate", source=SOURCE)
    elsewhere = plan_of("name,source\nGate,rtsp://***@evil.example/live\n", [gate])
    assert elsewhere.rows[0].problems[0].field == "source"
    assert "leave it as exported to keep it" in elsewhere.rows[0].problems[0].detail
    [row] = plan_of("name,source\nGate,rtsp://admin:n3w@10.0.0.9/live\n", [gate]).rows
    assert row.camera is not None
    assert row.camera.source == "rtsp://admin:n3w@10.0.0.9/live"
    [change] = row.changes
    assert change.before == "rtsp://***@10.0.0.9/live"
    assert change.after == "rtsp://***@10.0.0.9/live (as the file has it)"
    new = plan_of("name,source\nDoor,rtsp://***@10.0.0.9/live\n", [gate])
    assert "type the whole address" in new.rows[0].problems[0].detail


def test_each_row_says_what_becomes_of_it() -> None:
    gate, hall = make_camera(name="Gate", source="demo:"), make_camera(name="Hall", source="0")
    text = (
        "id,name,source,analysis_fps,detector\n"
        f"{gate.id},Gate West,demo:,4,ssd\n"
        ",hall,0,8,\n"
        ",Door,demo:,100,\n"
        ",Lift,demo:,,\n"
    )
    renamed, same, wrong, new = plan_of(text, [gate, hall]).rows
    assert [(c.field, c.before, c.after) for c in renamed.changes] == [
        ("name", "Gate", "Gate West"),
        ("analysis_fps", 8.0, 4.0),
        ("detector", None, "ssd"),
    ]
    assert (same.outcome, same.changes[0].after) == ("changed", "hall")
    assert (wrong.line, wrong.outcome, wrong.problems[0].field) == (4, "refused", "analysis_fps")
    assert "expected at most 60" in wrong.problems[0].detail
    assert (new.outcome, new.line) == ("added", 5)
    assert new.camera is not None
    assert new.camera.analysis_fps == 8


def test_spreadsheets_semicolons_tabs_marks_and_decimal_commas_are_read() -> None:
    text = 'name;source;analysis_fps;enabled\n"Gate";demo:;2,5;yes\n\nHall;demo:;4;no\n'
    for data in (
        text.encode("utf-8-sig"),
        text.replace("\n", "\r\n").encode("utf-8-sig"),
        text.replace(";", "\t").encode("utf-16"),
        f"sep=;\n{text}".encode(),
    ):
        gate, hall = make_plan(read_cameras("csv", data), [], Grants(ALL).allow, any_file).rows
        assert gate.camera is not None
        assert hall.camera is not None
        assert (gate.camera.analysis_fps, gate.camera.enabled) == (2.5, True)
        assert (hall.camera.name, hall.camera.enabled) == ("Hall", False)


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "'=1", "''"])
def test_no_exported_cell_is_a_formula(name: str) -> None:
    camera = make_camera(name=name, source="=cmd|' /C calc'!A0", group=name)
    rows = write_cameras("csv", [camera]).splitlines()[1].split(",")
    assert not any(cell.strip('"').startswith(FORMULA[:-1]) for cell in rows)
    [row] = plan_of(write_cameras("csv", [camera]), [camera]).rows
    assert row.outcome == "unchanged"


def test_lines_and_zones_are_json_in_a_cell() -> None:
    gate = make_camera(name="Gate", source="demo:")
    door = '[{""name"": ""Door"", ""points"": [[0.1, 0.5], [0.9, 0.5]]}]'
    [row] = plan_of(f'name,lines\nGate,"{door}"\n', [gate]).rows
    assert row.camera is not None
    assert row.camera.lines[0].name == "Door"
    [wrong] = plan_of('name,lines\nGate,"Door=0.1"\n', [gate]).rows
    assert wrong.problems[0].detail == "expected JSON, as an exported file has it"


def test_fields_that_are_left_out_stay_and_empty_ones_become_the_default() -> None:
    gate = make_camera(name="Gate", source=SOURCE, group="T2", analysis_fps=4)
    [left_out] = plan_of("name,jpeg_quality\nGate,85\n", [gate]).rows
    assert left_out.outcome == "unchanged"
    [emptied] = plan_of("name,source,group,analysis_fps\nGate,,,\n", [gate]).rows
    assert emptied.camera is not None
    assert (emptied.camera.group, emptied.camera.analysis_fps) == ("", 8.0)
    assert emptied.camera.source == SOURCE


def test_names_may_be_exchanged_but_never_shared() -> None:
    one, two = make_camera(name="One", source="demo:"), make_camera(name="Two", source="demo:")
    exchanged = plan_of(f"id,name\n{one.id},Two\n{two.id},One\n", [one, two])
    assert [row.outcome for row in exchanged.rows] == ["changed", "changed"]
    taken = plan_of(f"id,name,max_width\n{one.id},two,640\n{two.id},Two,640\n", [one, two])
    assert [row.outcome for row in taken.rows] == ["refused", "changed"]
    assert taken.rows[0].problems[0].field == "name"
    # The second is refused for its width and keeps its name, which the first wanted.
    kept = plan_of(f"id,name,max_width\n{one.id},Two,640\n{two.id},Three,1\n", [one, two])
    assert [row.outcome for row in kept.rows] == ["refused", "refused"]
    twice = plan_of("name,source\nDoor,0\ndoor,1\n", [])
    assert [row.outcome for row in twice.rows] == ["added", "refused"]
    same = plan_of(f"id,name\n{one.id},One\n,one\n", [one])
    assert [row.outcome for row in same.rows] == ["unchanged", "refused"]
    assert "line 2 is about the same camera" in same.rows[1].problems[0].detail


def test_nothing_is_removed_unless_asked_for() -> None:
    one, two = make_camera(name="One", source="demo:"), make_camera(name="Two", source="demo:")
    assert [row.outcome for row in plan_of("name\nOne\n", [one, two]).rows] == ["unchanged"]
    plan = make_plan(
        read_cameras("csv", b"name\nOne\n"), [one, two], Grants(ALL).allow, any_file, True
    )
    assert [(row.outcome, row.name) for row in plan.rows] == [
        ("unchanged", "One"),
        ("removed", "Two"),
    ]


def test_roles_and_groups_hold_row_by_row() -> None:
    here = make_camera(name="Here", source="demo:", group="T2")
    there = make_camera(name="There", source="demo:", group="T1")
    hidden = make_camera(name="Hidden", source="demo:", group="T3")
    grants: dict[str, Role] = {"T1": "viewer", "T2": "operator"}
    text = (
        "name,source,group,jpeg_quality\n"
        "Here,demo:,T2,90\n"  # may be changed
        "There,demo:,T1,85\n"  # is as it was
        "There ,demo:,T1,90\n"
        f"{hidden.name},demo:,T2,85\n"  # a camera out of sight takes no name in another group
        "New,demo:,T9,85\n"
        "Here too,demo:,T2,85\n"
    )
    plan = plan_of(text, [here, there, hidden], grants)
    assert [row.outcome for row in plan.rows] == [
        *("changed", "unchanged", "refused", "added", "refused", "added")
    ]
    assert "operator for cameras of 'T9'" in plan.rows[4].problems[0].detail
    moved = plan_of("name,group\nHere,T1\n", [here], grants)
    assert moved.rows[0].problems[0].field == "group"
    removal = make_plan(
        read_cameras("csv", b"name\nThere\n"), [here, there], Grants(grants).allow, any_file, True
    )
    assert [row.outcome for row in removal.rows] == ["unchanged", "refused"]


def test_a_new_file_needs_the_right_to_have_it_read_and_one_that_is_saved_stays() -> None:
    film = make_camera(name="Film", source="/videos/film.mp4")
    text = "name,source,jpeg_quality\nFilm,/videos/film.mp4,70\nNew,/videos/b.mp4,70\nHall,0,70\n"
    plan = plan_of(text, [film], may_read=lambda source: not source.startswith("/"))
    assert [row.outcome for row in plan.rows] == ["changed", "refused", "added"]
    [problem] = plan.rows[1].problems
    assert problem.field == "source"
    assert "MASKWATCH_SOURCE_FOLDERS" in problem.detail


def test_texts_in_yaml_are_taken_as_they_are_written() -> None:
    text = "- name: 12:30\n  source: 0\n  group: on\n- {name: 007, source: 1, detector: null}\n"
    first, second = plan_of(text, [], form="yaml").rows
    assert first.camera is not None
    assert second.camera is not None
    assert (first.camera.name, first.camera.source, first.camera.group) == ("12:30", "0", "on")
    assert second.camera.name == "007"


def test_a_fault_in_yaml_is_named_with_line_and_field() -> None:
    text = "cameras:\n- name: Gate\n  source: 0\n  fps: 4\n- Hall\n- name: A\n  name: B\n"
    unknown, nothing, twice = plan_of(text, [], form="yaml").rows
    assert (unknown.line, unknown.problems[0].field) == (2, "fps")
    assert unknown.problems[0].detail.startswith("line 4: unknown; expected id, name, source")
    assert (nothing.line, nothing.outcome) == (5, "refused")
    assert twice.problems[0].detail == "line 7: it is there twice"


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("csv", f"{SOURCE},name\nx,Gate\n"),
        ("csv", f"{SPACED},name\nx,Gate\n"),
        ("csv", f"name,rtsp://u:{SECRET},x@h\nx,Gate\n"),
        ("csv", f"name\nrtsp://u:{SECRET},x@h\n"),
        ("yaml", f'- "{SPACED}": x\n'),
        ("yaml", f"- name: {SPACED}\n"),
        ("csv", f"name,source\n{SOURCE},\n"),
        ("csv", f"name,source\nGate,ftp://u:{SECRET}@h/x\n"),
        ("csv", f"name,analysis_fps\nGate,{SOURCE}\n"),
        ("csv", f'name,source,lines\nGate,0,"[{{""{SOURCE}"": 1}}]"\n'),
        ("yaml", f'- "{SOURCE}": x\n'),
        ("yaml", f"- name: [{SOURCE}]\n"),
        ("yaml", f"- name: x\n  source: {SOURCE}\n  lines: {{{SOURCE}: 1}}\n"),
        ("yaml", f"cameras: *{SOURCE}\n"),
        ("yaml", f"- name: x\n   source: {SOURCE}\n"),
    ],
)
def test_an_address_in_a_wrong_place_is_shown_without_its_password(form: Form, text: str) -> None:
    try:
        shown = str([vars(row) | {"camera": 0} for row in plan_of(text, [], form=form).rows])
    except CameraFileError as error:
        shown = str(error)
    assert SECRET not in shown


BILLION_LAUGHS = "a: &a [x]\nb: &b [*a, *a]\ncameras: *b\n"


@pytest.mark.parametrize(
    ("form", "text", "words"),
    [
        ("yaml", BILLION_LAUGHS, "anchors and aliases"),
        ("yaml", "[" * 100, "nested more than"),
        ("yaml", "cameras:\n- name: x\n  source: demo:\n", "line 3: this is not YAML"),
        ("yaml", "cameras: 3", "expected a list of cameras"),
        ("yaml", "", "expected a list of cameras"),
        ("yaml", "cameras: []", "no camera in the file"),
        ("yaml", "- {name: x}\n" * (MOST_ENTRIES + 1), "more than 1000 cameras"),
        ("yaml", "- name: !x a\n", "tags"),
        ("yaml", "%YAML 1.1\n---\n- name: a\n", "line 1: directives"),
        ("yaml", "- name: a\n---\n- name: b\n", "line 2: a second document"),
        ("yaml", "- {name: x, ignored: [" + "a," * MOST_NODES + "]}", "values in one file"),
        ("csv", "sep=;\n" * 2000 + "name\nx\n", "neither `id` nor `name`"),
        ("csv", "name\nx\n" + "y\n" * MOST_ENTRIES, "more than 1000 cameras"),
        ("csv", "", "neither `id` nor `name`"),
        ("csv", "name,colour\nx,red\n", "unknown column 'colour'"),
        ("csv", "name,name\nx,y\n", "there twice"),
        ("csv", 'name\n"x\n', "this is not CSV"),
        ("csv", "name\n", "no camera in the file"),
    ],
)
def test_what_is_no_such_file_is_refused_with_what_was_expected(
    form: Form, text: str, words: str
) -> None:
    with pytest.raises(CameraFileError, match=words):
        read_cameras(form, text.encode())


@pytest.mark.parametrize("form", FORMS)
def test_a_file_in_another_encoding_says_how_to_save_it(form: Form) -> None:
    with pytest.raises(CameraFileError, match="UTF-8"):
        read_cameras(form, "name\nCafé\n".encode("cp1252"))


def test_no_python_object_is_made_from_yaml() -> None:
    text = "- name: x\n  source: 0\n  lines: !!python/object/apply:os.getcwd []\n"
    with pytest.raises(CameraFileError, match="line 3: tags"):
        read_cameras("yaml", text.encode())


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("640", 640),
        ("1_640", 1640),
        ("0640", 640),
        ("'640'", 640),
        ("640.0", 640),
        ("~", 1920),
        ("", 1920),
    ],
)
def test_a_number_in_yaml_is_the_one_that_people_read(written: str, meant: int) -> None:
    text = f"- name: x\n  source: 'demo:'\n  enabled: on\n  max_width: {written}\n"
    [row] = plan_of(text, [], form="yaml").rows
    assert row.camera is not None, row.problems
    assert (row.camera.max_width, row.camera.enabled) == (meant, True)


@pytest.mark.parametrize("written", ["10:40", "0x280", ".inf", "2026-11-30", "yes"])
def test_what_only_yaml_1_1_takes_for_a_number_is_refused(written: str) -> None:
    text = f"- name: x\n  source: 'demo:'\n  max_width: {written}\n"
    [row] = plan_of(text, [], form="yaml").rows
    assert (row.outcome, [p.field for p in row.problems]) == ("refused", ["max_width"])


@given(st.binary(max_size=200), st.sampled_from(FORMS))
def test_bytes_of_any_kind_are_read_or_refused(data: bytes, form: Form) -> None:
    with suppress(CameraFileError):
        make_plan(read_cameras(form, data), [], Grants(ALL).allow, any_file)


def plan_of(
    text: str,
    there: list[Camera],
    grants: dict[str, Role] | None = None,
    form: Form = "csv",
    may_read: MayRead = any_file,
) -> Plan:
    entries = read_cameras(form, text.encode())
    return make_plan(entries, there, Grants(grants or ALL).allow, may_read)
