"""Cameras as YAML.

One document, read in one pass over its events. Every scalar is a text, or nothing: what a number or
a yes is, the camera's fields know, and nothing of YAML 1.1 (numbers to base 60, dates, octals) is
ever worked out. Nodes, depth and cameras are counted as they come; anchors, aliases, tags and
directives are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, cast

import yaml

from contract.cameras.camera import Camera
from contract.errors import CameraFileError
from contract.redaction import redact_text
from dashboard.cameras.file.entries import (
    FIELDS,
    LONGEST_REPEATED,
    MOST_ENTRIES,
    Entry,
    MayChange,
    Problem,
    anybody,
    record_of,
    repeatable,
)

MOST_DEPTH: Final = 10
DEPTH_OF_CAMERAS: Final = 2
MOST_NODES: Final = 100_000
"""A thousand cameras with all their fields and some lines and zones."""
_EMPTY: Final = frozenset({"", "~", "null", "Null", "NULL"})
_DIRECTIVE: Final = re.compile("^%", re.MULTILINE)
HEAD: Final = """\
# Cameras of Maskwatch. `***` stands for parts of an address that are never exported: an address
# that is left as it is stays as it is saved; for a new camera, type the whole of it.
"""
_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
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
    # libyaml compares each directive with all before it.
    if found := _DIRECTIVE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise CameraFileError(f"line {line}: directives (%) are not taken; leave that line out")
    try:
        document = _document(_events(text))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise CameraFileError(f"line {line}: this is not YAML: {_words(error.problem)}") from None
    except yaml.YAMLError as error:
        raise CameraFileError(f"this is not YAML: {_words(str(error))}") from None
    return [_entry(node) for node in _items(document)]


def _words(text: str | None) -> str:
    return redact_text((text or "it cannot be read").splitlines()[0][:200])


@dataclass(frozen=True, slots=True)
class _Node:
    """A part of the document."""

    line: int
    value: str | list[_Node] | list[tuple[_Node, _Node]] | None
    is_mapping: bool = False


def _events(text: str) -> Iterator[yaml.Event]:
    """The nodes' events; raises `CameraFileError` at the first that is not taken."""
    documents = nodes = 0
    for event in yaml.parse(text, Loader=_Loader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if getattr(event, "anchor", None):
            raise CameraFileError(
                f"line {line}: anchors and aliases (& and *) are not taken; write the value out, "
                "or put it between quotes where the sign belongs to it"
            )
        if getattr(event, "tag", None):
            raise CameraFileError(
                f"line {line}: tags (!) are not taken; leave it out, or put the value between "
                "quotes where the sign belongs to it"
            )
        documents += isinstance(event, yaml.DocumentStartEvent)
        nodes += isinstance(event, yaml.NodeEvent)
        if documents > 1:
            raise CameraFileError(f"line {line}: a second document (---); expected one")
        if nodes > MOST_NODES:
            raise CameraFileError(
                f"line {line}: more than {MOST_NODES} values in one file; split it"
            )
        if isinstance(event, yaml.NodeEvent | yaml.CollectionEndEvent):
            yield event


def _document(events: Iterator[yaml.Event]) -> _Node | None:
    first = next(events, None)
    document = _node(first, events, 1) if first else None
    for _ in events:
        pass  # what follows may be no YAML
    return document


def _node(event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> _Node:
    line = event.start_mark.line + 1 if event.start_mark else 1
    if isinstance(event, yaml.ScalarEvent):
        empty = event.implicit[0] and event.value in _EMPTY
        return _Node(line, None if empty else event.value)
    if depth > MOST_DEPTH:
        raise CameraFileError(f"line {line}: nested more than {MOST_DEPTH} deep")
    inner: list[_Node] = []
    for part in events:
        if isinstance(part, yaml.CollectionEndEvent):
            break
        inner.append(_node(part, events, depth + 1))
        if depth <= DEPTH_OF_CAMERAS and len(inner) > MOST_ENTRIES:
            raise CameraFileError(f"more than {MOST_ENTRIES} cameras in one file; split it")
    if isinstance(event, yaml.MappingStartEvent):
        return _Node(line, list(zip(inner[::2], inner[1::2], strict=True)), True)
    return _Node(line, inner)


def _items(document: _Node | None) -> list[_Node]:
    found = document and document.value
    if document and document.is_mapping:
        pairs = cast(list[tuple[_Node, _Node]], found)
        found = pairs[0][1].value if [name.value for name, _ in pairs] == ["cameras"] else None
    if not isinstance(found, list) or not all(isinstance(one, _Node) for one in found):
        raise CameraFileError(
            "expected a list of cameras under `cameras:`, as an exported file has it"
        )
    return cast(list[_Node], found)


def _entry(node: _Node) -> Entry:
    if not node.is_mapping:
        found = Problem("", "expected fields such as `name: Gate 1`, one a line")
        return Entry(node.line, {}, (found,))
    values: dict[str, Any] = {}
    problems = []
    for name_node, value_node in cast(list[tuple[_Node, _Node]], node.value):
        name = name_node.value if isinstance(name_node.value, str) else ""
        where = value_node.line
        if name not in FIELDS:
            expected = f"unknown; expected {', '.join(FIELDS)}"
            problems.append(Problem(repeatable(name), f"line {where}: {expected}"))
        elif name in values:
            problems.append(Problem(name, f"line {where}: it is there twice"))
        else:
            values[name] = _plain_value(value_node)
    return Entry(node.line, values, tuple(problems))


def _plain_value(node: _Node) -> Any:
    """A node as texts, None, lists and dictionaries; of a name that is there twice the last."""
    if not isinstance(node.value, list):
        return node.value
    if node.is_mapping:
        pairs = cast(list[tuple[_Node, _Node]], node.value)
        return {str(name.value)[:LONGEST_REPEATED]: _plain_value(value) for name, value in pairs}
    return [_plain_value(one) for one in cast(list[_Node], node.value)]
