"""Nothing from outside costs more than about linear time: every parser, every expression."""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Iterator

import pytest

from tests import product
from tests.expressions import Expression, expressions
from tests.parsers import NOT_FROM_OUTSIDE, Parser, parsers
from tests.work import MOST_GROWTH, worst_growth

LONGEST = 4 * 1024
"""`benchmarks.attacks.hostile_input` goes up to 64 kB."""
NAMED_LIKE_A_PARSER = re.compile(r"_?(parse|read|decode|redact|unpack|split|check)(_|$)")
TEXTS = ("str", "bytes", "bytes | str", "str | bytes", "object", "dict[bytes, bytes]")


@pytest.fixture(autouse=True)
def _say_nothing() -> Iterator[None]:
    """What is refused is logged, thousands of times here."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("parser", parsers(), ids=lambda one: one.name)
def test_no_parser_works_more_than_about_linearly(parser: Parser) -> None:
    worst = worst_growth(parser, parser.shapes(), LONGEST)
    assert worst.times <= MOST_GROWTH, f"{parser.name} costs {worst}"


@pytest.mark.parametrize("expression", expressions(), ids=lambda one: one.name)
def test_no_expression_works_more_than_about_linearly(expression: Expression) -> None:
    worst = worst_growth(expression, expression.shapes(), LONGEST)
    assert worst.times <= MOST_GROWTH, f"{expression.name} costs {worst}"


@pytest.mark.parametrize(
    ("pattern", "method"),
    [
        # What redacted queries until an 8 kB request stopped the dashboard for half a minute.
        (r"([?&;](?:[^=&;\s]*(?:pass|key)[^=&;\s]*)=)[^&;\s\"'<>]*", "sub"),
        (r"([A-Z_]+) +(.+?) +RTSP/[\d.]+", "fullmatch"),
        (r"([\w.-]*[A-Za-z.][\w.-]*)(:\d{1,5})?\Z", "match"),
        (r"\d+x", "search"),
        (r"(a+)+b", "match"),  # never ends by itself
    ],
)
def test_expressions_that_are_known_to_be_slow_are_found(pattern: str, method: str) -> None:
    slow = Expression("slow", re.compile(pattern, re.IGNORECASE), method)
    assert worst_growth(slow, slow.shapes(), LONGEST).times > MOST_GROWTH


def test_parsers_that_are_known_to_be_slow_are_found() -> None:
    def base_60(text: str) -> int:
        return sum(int(one) * 60**at for at, one in enumerate(reversed(text.split(":"))))

    slow = Parser("slow", base_60, ("1:1:1",))
    assert worst_growth(slow, slow.shapes(), LONGEST).times > MOST_GROWTH


def test_every_function_that_is_named_like_a_parser_is_among_them() -> None:
    known = {name.partition(",")[0] for name in (one.name for one in parsers())}
    assert sorted(_named_like_parsers() - known - NOT_FROM_OUTSIDE.keys()) == []


def _named_like_parsers() -> set[str]:
    found = set()
    for module in product.modules():
        for name, value in vars(module).items():
            if getattr(value, "__module__", "") != module.__name__:
                continue
            if inspect.isfunction(value) and _takes_text(name, value):
                found.add(f"{module.__name__}.{name}")
            elif inspect.isclass(value):
                found |= {
                    f"{module.__name__}.{name}.{inner}"
                    for inner, made in vars(value).items()
                    if isinstance(made, classmethod | staticmethod)
                    and _takes_text(inner, made.__func__)
                }
    return found


def _takes_text(name: str, function: object) -> bool:
    parameters = inspect.signature(function).parameters.values()  # type: ignore[arg-type]
    given = [str(one.annotation) for one in parameters if one.name != "cls"]
    return bool(NAMED_LIKE_A_PARSER.match(name)) and any(one in TEXTS for one in given)
