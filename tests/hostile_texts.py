"""Texts that make careless parsers and expressions work more than linearly, of any length."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

ALPHABET = " \t\n\r\0aA0:;,.@/?&=#%-_+*!|~$()[]{}<>\"'`\\é\u202e\x9b"
NESTED = [("[", "]"), ("{", "}"), ("(", ")"), ("<", ">"), ('{"a":', "}"), ("[[", "],"), ("- ", "")]
NUMBERED = [("", "k{}=v&", ""), ("{", '"k{}":1,', '"k":1}'), ("", "k{}: 1\n", ""), ("", "{},", "")]
FEW = " a"
MOST_TOKENS = 30


@dataclass(frozen=True)
class Shape:
    """`before`, `unit` again and again, `closing` as often, `after`."""

    before: str
    unit: str
    after: str = ""
    closing: str = ""
    numbered: bool = False
    """Whether each unit differs: `{}` in it is a number."""

    def text(self, length: int) -> str:
        """The text of about that many characters."""
        each = len(self.unit) + len(self.closing) + 3 * self.numbered
        times = max(1, (length - len(self.before) - len(self.after)) // each)
        if self.numbered:
            units = "".join(self.unit.replace("{}", str(number)) for number in range(times))
        else:
            units = self.unit * times
        return self.before + units + self.closing * times + self.after


def shapes_of(samples: Iterable[str], thorough: bool = True) -> list[Shape]:
    """Shapes from an alphabet and from `samples`, texts of the kind that is read."""
    found = [Shape("", one) for one in ALPHABET] if thorough else []
    found += [Shape("", opening, closing=closing) for opening, closing in NESTED]
    found += [Shape("", opening) for opening, _ in NESTED]
    found += [Shape(before, unit, after, numbered=True) for before, unit, after in NUMBERED]
    for sample in samples:
        found += _pumped(sample)
        found += _spoiled(sample) if thorough else []
    return list(dict.fromkeys(found))


def _pumped(sample: str) -> Iterator[Shape]:
    """The sample again and again, and each part of it again and again within it."""
    yield Shape("", sample or "x")
    for before, token, pair, after in _parts(sample):
        yield Shape(before, token, after)
        yield Shape(before, pair, after)


def _spoiled(sample: str) -> Iterator[Shape]:
    """The sample with parts again and again where they do not belong, or without an end."""
    yield from (Shape(sample, one) for one in ALPHABET)
    for before, token, pair, after in _parts(sample):
        yield Shape(before, token)
        yield Shape("", pair)
        yield Shape(before, pair[::-1], "\0")
        yield Shape("", before + token)
        yield from (Shape(before, one, after) for one in FEW)
        yield from (Shape(before + token, one, "\0") for one in FEW)


def _parts(sample: str) -> Iterator[tuple[str, str, str, str]]:
    """Each word or sign of a sample, with the next one, and what is before and after it."""
    tokens = re.findall(r"\w+|\W", sample)[:MOST_TOKENS]
    for at, token in enumerate(tokens):
        yield "".join(tokens[:at]), token, "".join(tokens[at : at + 2]), "".join(tokens[at + 1 :])


def samples_of(pattern: re.Pattern[Any]) -> list[str]:
    """Texts that an expression matches, or nearly: the shortest, and one for each alternative."""
    tree = _parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE)
    words = sorted(_words(tree))
    found = ["".join(_sample(tree, choice)) for choice in range(4)]
    signs = [word for word in words if len(word) == 1][:8]
    longer = [word for word in words if len(word) > 1][:10]
    return list(dict.fromkeys([*found, *words, *(a + b for a in signs for b in longer)]))


def _words(tree: Any) -> Iterator[str]:
    """The literal runs of an expression and the characters of its classes."""
    run = ""
    for op, value in tree:
        if op is ops.LITERAL:
            run += chr(value)
            continue
        if run:
            yield run
        run = ""
        if op is ops.IN:
            yield from (chr(found) for kind, found in value if kind is ops.LITERAL)
        for inner in _inner(op, value):
            yield from _words(inner)
    if run:
        yield run


def _inner(op: Any, value: Any) -> list[Any]:
    if op is ops.BRANCH:
        return list(value[1])
    if op in (ops.SUBPATTERN, ops.ASSERT):
        return [value[-1]]
    if op is ops.ATOMIC_GROUP:
        return [value]
    if op in (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT):
        return [value[2]]
    return []


def _sample(tree: Any, choice: int) -> Iterator[str]:
    for op, value in tree:
        if op is ops.LITERAL:
            yield chr(value)
        elif op in (ops.ANY, ops.NOT_LITERAL):
            yield "x"
        elif op is ops.IN:
            yield _one_of(value, choice)
        elif op is ops.BRANCH:
            yield from _sample(value[1][choice % len(value[1])], choice)
        elif op in (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT):
            yield "".join(_sample(value[2], choice)) * max(value[0], 1 if choice % 2 == 0 else 0)
        elif op in (ops.SUBPATTERN, ops.ATOMIC_GROUP):
            yield from _sample(_inner(op, value)[0], choice)


def _one_of(members: Any, choice: int) -> str:
    """A character of a class; for a class of all but some, one that is commonly not among them."""
    if members[0][0] is ops.NEGATE:
        return "x"
    kind, value = members[choice % len(members)]
    if kind is ops.LITERAL:
        return chr(value)
    if kind is ops.RANGE:
        return chr(value[0])
    return "0" if value is ops.CATEGORY_DIGIT else " " if value is ops.CATEGORY_SPACE else "a"
