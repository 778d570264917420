"""Lua files and the records whose fields they read."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import re
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel
from redis import Redis

import bus
from bus.scripts.script import FencedHeader, Header
from contract.people.minutes import MinuteIncrements
from contract.people.totals import Increments
from tests.servers.redis_server import redis_server
from tests.unit.test_structure import PACKAGES, ROOT

FOLDER = Path(bus.__file__).parent / "scripts"
FENCE = "fence"
FIELD = re.compile(r"\bheader((?:\.\w+)+)")


def headers(of: type[Header] = Header) -> Iterator[type[Header]]:
    """Every header that the product sends."""
    for module in pkgutil.walk_packages(bus.__path__, "bus."):
        importlib.import_module(module.name)
    for one in of.__subclasses__():
        if one.__module__.startswith("bus.") and "script" in vars(one):
            yield one
        yield from headers(one)


def read_by(script: str) -> set[str]:
    """Paths of the fields that a file names: `outcome.sequence`."""
    text = re.sub(r"--.*", "", (FOLDER / f"{script}.lua").read_text())
    return {path.removeprefix(".") for path in FIELD.findall(text)}


def sent_by(record: type) -> Iterator[tuple[str, Any]]:
    """Paths and types of what a script gets; of a record in a record, its fields."""
    for name, kind in typing.get_type_hints(record).items():
        if typing.get_origin(kind) is ClassVar or kind is ClassVar or name == "script":
            continue
        [inner, *_] = [one for one in (*typing.get_args(kind), kind) if one is not type(None)]
        if is_plain_record(inner) and typing.get_origin(kind) not in {list, tuple}:
            yield from ((f"{name}.{path}", one) for path, one in sent_by(inner))
        else:
            yield name, kind


def is_plain_record(kind: Any) -> bool:
    """Whether it is sent field by field, and not as the message that it is stored as."""
    stored = issubclass(kind, BaseModel) or hasattr(kind, "encode") if type(kind) is type else True
    return dataclasses.is_dataclass(kind) and not stored


def paths(record: type) -> set[str]:
    return {path for path, kind in sent_by(record) if not (kind is bytes and "." in path)}


every_header = pytest.mark.parametrize("header", list(headers()), ids=lambda one: one.script)


def test_each_lua_file_has_one_record_that_it_is_called_with() -> None:
    called = [header.script for header in headers()]
    assert len(called) == len(set(called))
    assert {*called, FENCE} == {path.stem for path in FOLDER.glob("*.lua")}


@every_header
def test_each_field_that_a_script_reads_is_sent_and_the_other_way_round(
    header: type[Header],
) -> None:
    read = {path for path in read_by(header.script) if path != "outcome.condition"}
    tested = {path for path in read if any(other.startswith(f"{path}.") for other in read)}
    of_the_fence = paths(FencedHeader) if issubclass(header, FencedHeader) else set()
    assert read - tested | of_the_fence == paths(header)


def test_the_fence_reads_what_every_fenced_script_is_sent() -> None:
    assert read_by(FENCE) == paths(FencedHeader)


@every_header
def test_no_header_has_a_field_that_would_lose_digits_or_cannot_be_sent(
    header: type[Header],
) -> None:
    for path, kind in sent_by(header):
        kinds = {kind, *typing.get_args(kind)}
        assert float not in kinds, f"{path}: send text, as Redis is to have it"
        assert bytes not in kinds or "." in path, f"{path}: bytes go beside the header"


@every_header
def test_a_fenced_scripts_own_file_does_not_repeat_the_fence(header: type[Header]) -> None:
    text = (FOLDER / f"{header.script}.lua").read_text()
    assert ("cjson.decode" in text) != issubclass(header, FencedHeader)
    assert "LEASELOST" not in text


@dataclass(frozen=True)
class Inner:
    whole: int
    picture: bytes = b"\xff"
    missing: str | None = None


@dataclass(frozen=True)
class Everything(Header):
    whole: int
    text: str
    amount: str
    inner: Inner
    increments: Increments
    nothing: MinuteIncrements
    empty: tuple[str, ...] = ()
    missing: str | None = None


READ = """
local header = cjson.decode(ARGV[1])
redis.call('SET', KEYS[1], header.whole)
redis.call('SET', KEYS[2], header.text)
redis.call('HINCRBYFLOAT', KEYS[3], header.increments[1], header.increments[2])
return {redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2]), header.amount,
  string.format('%.0f', header.inner.whole), #header.empty, #header.nothing,
  tostring(header.missing), tostring(header.inner.missing), tostring(header.inner.picture),
  redis.call('HGET', KEYS[3], 'age:sum')}
"""


@pytest.mark.parametrize("version", ["6.2", "7"])
def test_numbers_texts_and_empty_lists_reach_lua_as_they_are(tmp_path: Path, version: str) -> None:
    increments = Increments()
    increments.add("age:sum", 0.1 + 0.2)
    text = 'a\0"\\\u2028é😀'
    amount = "1764537943.1230001"
    header = Everything(2**53, text, amount, Inner(2**53 - 1), increments, MinuteIncrements())
    with redis_server(tmp_path, version) as server:
        redis = Redis.from_url(server.url)
        redis.hset("sums", "age:sum", "0")
        found: Any = redis.eval(READ, 3, "whole", "text", "sums", header.encode())
        plain = redis.hincrbyfloat("plain", "age:sum", repr(0.1 + 0.2))
    assert found[:4] == [b"%d" % 2**53, text.encode(), amount.encode(), b"%d" % (2**53 - 1)]
    assert found[4:6] == [0, 0]
    assert found[6:9] == [b"nil"] * 3
    assert float(found[9]) == plain


def test_text_that_is_no_unicode_is_refused_before_it_is_sent() -> None:
    broken = Everything(1, "\ud800", "", Inner(1), Increments(), MinuteIncrements())
    with pytest.raises(UnicodeEncodeError):
        broken.encode()


def test_no_lua_is_left_in_python() -> None:
    product = {path for name in PACKAGES for path in (ROOT / name).rglob("*.py")}
    with_lua = [path for path in product if "redis.call(" in path.read_text()]
    registering = [path for path in product if "register_script(" in path.read_text()]
    assert with_lua == []
    assert registering == [FOLDER / "script.py"]
