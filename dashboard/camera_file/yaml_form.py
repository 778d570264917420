"""Cameras as YAML.

Read in two passes: one over the events alone, which refuses anchors, aliases and deep nesting
before anything is built from them, and one that builds plain values only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import yaml
from yaml.constructor import SafeConstructor

from contract.cameras import Camera
from contract.errors import CameraFileError
from contract.redaction import redact_text
from dashboard.camera_file.entries import (
    FIELDS,
    MOST_ENTRIES,
    TEXTS,
    Entry,
    MayChange,
    Problem,
    anybody,
    record_of,
    repeatable,
)

MOST_DEPTH: Final = 10
HEAD: Final = """\
# Cameras of Maskwatch. `***` stands for parts of an address that are never exported: an address
# that is left as it is stays as it is saved; for a new camera, type the whole of it.
"""
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def write_yaml(cameras: Iterable[Camera], may_change: MayChange = anybody) -> str:
    """The cameras with all their fields, without any secret."""
    records = [
        {
            name: value
            for name, value in record_of(camera, may_change(camera)).items()
            if name in FIELDS
        }
        for camera in cameras
    ]
    body = yaml.dump(
        {"cameras": records},
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=100_000,  # an address is one line
    )
    return HEAD + body


def read_yaml(text: str) -> list[Entry]:
    """The cameras of a document: a list, or `cameras:` with a list.

    Raises:
        CameraFileError: it is no such document.
    """
    try:
        _refuse_traps(text)
        document = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise CameraFileError(f"line {line}: this is not YAML: {_words(error.problem)}") from None
    except yaml.YAMLError as error:
        raise CameraFileError(f"this is not YAML: {_words(str(error))}") from None
    return [_entry(node) for node in _items(document)]


def _words(text: str | None) -> str:
    return redact_text((text or "it cannot be read").splitlines()[0][:200])


def _refuse_traps(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if getattr(event, "anchor", None):
            raise CameraFileError(
                f"line {line}: anchors and aliases (& and *) are not taken; write the value out, "
                "or put it between quotes where the sign belongs to it"
            )
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_DEPTH:
            raise CameraFileError(f"line {line}: nested more than {MOST_DEPTH} deep")


def _items(document: yaml.Node | None) -> Sequence[yaml.Node]:
    if isinstance(document, yaml.MappingNode):
        names = [getattr(name, "value", None) for name, _ in document.value]
        document = document.value[0][1] if names == ["cameras"] else None
    if not isinstance(document, yaml.SequenceNode):
        raise CameraFileError(
            "expected a list of cameras under `cameras:`, as an exported file has it"
        )
    if len(document.value) > MOST_ENTRIES:
        raise CameraFileError(
            f"{len(document.value)} cameras, expected at most {MOST_ENTRIES} in one file"
        )
    return list(document.value)


def _entry(node: yaml.Node) -> Entry:
    line = node.start_mark.line + 1
    if not isinstance(node, yaml.MappingNode):
        found = Problem("", "expected fields such as `name: Gate 1`, one a line")
        return Entry(line, {}, (found,))
    values: dict[str, Any] = {}
    problems = []
    for name_node, value_node in node.value:
        name = str(getattr(name_node, "value", ""))
        where = value_node.start_mark.line + 1
        if name not in FIELDS:
            expected = f"unknown; expected {', '.join(FIELDS)}"
            problems.append(Problem(repeatable(name), f"line {where}: {expected}"))
        elif name in values:
            problems.append(Problem(name, f"line {where}: it is there twice"))
        else:
            try:
                values[name] = _value(name, value_node)
            except (yaml.YAMLError, ValueError, TypeError, OverflowError):
                problems.append(Problem(name, f"line {where}: this value cannot be read"))
    return Entry(line, values, tuple(problems))


def _value(name: str, node: yaml.Node) -> Any:
    """A value; a text as it is written, which YAML would take for a number, a time or a yes."""
    empty = node.tag == "tag:yaml.org,2002:null"
    if name in TEXTS and isinstance(node, yaml.ScalarNode) and not empty:
        return node.value
    return SafeConstructor().construct_document(node)
