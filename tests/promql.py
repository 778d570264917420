"""What a PromQL query asks for, and with which labels it answers; read by a real parser.

The labels of an answer follow from those of the metrics in it, so that a label that was renamed
or that an aggregation has dropped is found where somebody still names it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set

import promql_parser as promql

ADDED_BY_PROMETHEUS = frozenset({"job", "instance"})
ONE_SAMPLE = {"vector", "time", "scalar", "absent"}


class UnknownError(AssertionError):
    """A query names a metric or a label that is not there."""


def selectors(expression: promql.Expr) -> Iterator[promql.VectorSelector]:
    """Every place where the query selects a metric."""
    found: list[promql.VectorSelector] = []

    def visit(node: promql.Expr) -> None:
        if isinstance(node, promql.VectorSelector):
            found.append(node)

    promql.walk(expression, visit)
    yield from found


def labels_of(node: promql.Expr, known: Mapping[str, Set[str]]) -> frozenset[str]:
    """The labels of what `node` answers with.

    known: metrics, recorded ones too, to their labels.

    Raises:
        UnknownError: it names a metric or a label that is not there.
    """
    match node:
        case promql.VectorSelector():
            return _selected(node, known)
        case promql.MatrixSelector():
            return _selected(node.vector_selector, known)
        case promql.AggregateExpr():
            return _aggregated(node, known)
        case promql.BinaryExpr():
            return _joined(node, known)
        case promql.Call():
            return _called(node, known)
        case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            return labels_of(node.expr, known)
        case _:  # a number or a text
            return frozenset()


def _selected(node: promql.VectorSelector, known: Mapping[str, Set[str]]) -> frozenset[str]:
    if node.name not in known:
        raise UnknownError(f"there is no metric {node.name}")
    _require({matcher.name for matcher in node.matchers.matchers}, known[node.name], node)
    return frozenset(known[node.name])


def _aggregated(node: promql.AggregateExpr, known: Mapping[str, Set[str]]) -> frozenset[str]:
    inner = labels_of(node.expr, known)
    if node.modifier is None:
        return frozenset()
    named = frozenset(node.modifier.labels)
    _require(named, inner, node)
    return named if node.modifier.type == promql.AggModifierType.By else inner - named


def _joined(node: promql.BinaryExpr, known: Mapping[str, Set[str]]) -> frozenset[str]:
    left, right = labels_of(node.lhs, known), labels_of(node.rhs, known)
    modifier = node.modifier
    if modifier is not None and modifier.matching is not None:
        named = frozenset(modifier.matching.labels)
        _require(named, left, node)
        _require(named, right, node)
        one_to_one = modifier.card == promql.VectorMatchCardinality.OneToOne
        is_set = str(node.op) in {"and", "or", "unless"}
        return named if one_to_one and not is_set else left
    return left or right


def _called(node: promql.Call, known: Mapping[str, Set[str]]) -> frozenset[str]:
    labels = frozenset[str]().union(*(labels_of(argument, known) for argument in node.args))
    if node.func.name in ONE_SAMPLE:
        return frozenset()
    if node.func.name == "histogram_quantile":
        _require({"le"}, labels, node)
        return labels - {"le"}
    return labels


def _require(named: Set[str], there: Set[str], node: promql.Expr) -> None:
    if missing := set(named) - set(there):
        raise UnknownError(f"no label {sorted(missing)} in {node.prettify()}; has {sorted(there)}")
