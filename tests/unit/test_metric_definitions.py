"""Every metric that is collected is one that is defined."""

from __future__ import annotations

import pytest
from redis import Redis

from dashboard.operations.metric_definitions import DEFINITIONS, PEOPLE, Definition
from tests.measured import collect_everything

OF_HISTOGRAMS = {"le"}


def test_every_metric_is_collected_with_the_labels_that_it_is_defined_with(redis: Redis) -> None:
    families = {family.name: family for family in collect_everything(redis)}
    assert families.keys() == {definition.name for definition in DEFINITIONS}
    for definition in DEFINITIONS:
        family = families[definition.name]
        assert (family.type, family.documentation) == (definition.kind, definition.help)
        assert family.samples, f"nothing of {definition.name} was collected"
        assert {sample.name for sample in family.samples} <= {
            *definition.samples,
            *(f"{definition.name}_{ending}" for ending in ("gcount", "gsum", "created")),
        }
        for sample in family.samples:
            assert sample.labels.keys() - OF_HISTOGRAMS == definition.labels.keys()


def test_a_label_has_the_values_that_it_is_defined_with(redis: Redis) -> None:
    families = {family.name: family for family in collect_everything(redis)}
    for definition in DEFINITIONS:
        for label, values in definition.labels.items():
            found = {sample.labels[label] for sample in families[definition.name].samples}
            if values is not None and definition.name != "maskwatch_line_crossings":
                assert found == set(values), f"{definition.name}: {label}"
            elif values is not None:
                assert found <= set(values)


def test_a_metric_is_filled_as_what_it_is() -> None:
    with pytest.raises(TypeError, match="maskwatch_people is a counter, no gauge"):
        PEOPLE.gauge()
    assert Definition("a", "histogram", "").samples == ("a_bucket", "a_sum", "a_count")
