"""The rules and the Grafana dashboards ask for what Maskwatch measures, in queries that parse."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
import yaml

from dashboard.operations.metric_definitions import DEFINITIONS, PEOPLE
from deploy.grafana.generate import BOARDS as GENERATED
from deploy.grafana.generate import FOLDER, write
from deploy.grafana.queries import select
from tests.promql import ADDED_BY_PROMETHEUS, UnknownError, labels_of, selectors

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES = yaml.safe_load((PROMETHEUS / "rules.yml").read_text())
RULE_TESTS = yaml.safe_load((PROMETHEUS / "rules_test.yml").read_text())["tests"]
BOARDS = sorted(FOLDER.glob("*.json"))
VARIABLES = {"$__range": "6h", "$__rate_interval": "1m", "$camera": ".*"}


def rules() -> list[dict[str, Any]]:
    return [rule for group in RULES["groups"] for rule in group["rules"]]


def board(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def targets() -> Iterator[tuple[str, str, str]]:
    """Each panel's queries as (where it stands, PromQL, legend), Grafana's variables replaced."""
    for path in BOARDS:
        for panel in board(path)["panels"]:
            for target in panel["targets"]:
                query = target["expr"]
                for variable, value in VARIABLES.items():
                    query = query.replace(variable, value)
                yield f"{path.name}: {panel['title']}", query, target["legendFormat"]


def queries() -> list[tuple[str, str]]:
    """Every query as (where it stands, PromQL)."""
    of_rules = [(rule.get("record") or rule["alert"], rule["expr"]) for rule in rules()]
    return of_rules + [(where, query) for where, query, _ in targets()]


QUERIES = queries()


def measured() -> dict[str, frozenset[str]]:
    """What Prometheus has from Maskwatch: names of samples to their labels."""
    known = {"up": ADDED_BY_PROMETHEUS}
    for definition in DEFINITIONS:
        labels = ADDED_BY_PROMETHEUS | definition.labels.keys()
        for name in definition.samples:
            known[name] = labels | {"le"} if name.endswith("_bucket") else labels
    return known


def known_with_records() -> dict[str, frozenset[str]]:
    """The same, and what the rules record of it, in their order."""
    known = measured()
    for rule in rules():
        if "record" in rule:
            known[rule["record"]] = labels_of(promql.parse(rule["expr"]), known)
    return known


KNOWN = known_with_records()


@pytest.mark.parametrize(("where", "query"), QUERIES, ids=[where for where, _ in QUERIES])
def test_a_query_asks_for_metrics_and_labels_that_are_there(where: str, query: str) -> None:
    expression = promql.parse(query)
    assert list(selectors(expression)), f"{where} asks for nothing of ours"
    labels_of(expression, KNOWN)


@pytest.mark.parametrize(("where", "query"), QUERIES, ids=[where for where, _ in QUERIES])
def test_a_query_asks_for_values_that_a_label_can_have(where: str, query: str) -> None:
    values = {name: d.labels for d in DEFINITIONS for name in d.samples}
    for selector in selectors(promql.parse(query)):
        for matcher in selector.matchers.matchers:
            possible = values.get(selector.name, {}).get(matcher.name)
            if possible is not None and matcher.value != ".*":
                assert set(matcher.value.split("|")) <= set(possible), f"{where}: {matcher}"


@pytest.mark.parametrize(("where", "query", "legend"), list(targets()))
def test_a_legend_names_labels_that_the_answer_has(where: str, query: str, legend: str) -> None:
    named = set(re.findall(r"\{\{(\w+)\}\}", legend))
    assert named <= labels_of(promql.parse(query), KNOWN), where


@pytest.mark.parametrize("alert", [r for r in rules() if "alert" in r], ids=lambda r: r["alert"])
def test_an_alert_speaks_of_labels_and_metrics_that_are_there(alert: dict[str, Any]) -> None:
    words = " ".join(alert["annotations"].values())
    there = labels_of(promql.parse(alert["expr"]), KNOWN)
    assert set(re.findall(r"\$labels\.(\w+)", words)) <= there
    for query in re.findall(r'query\s+"([^"]+)"', words):
        labels_of(promql.parse(query), KNOWN)


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.name)
def test_a_metric_that_is_renamed_is_missed(definition: Any) -> None:
    without = {name: labels for name, labels in KNOWN.items() if name not in definition.samples}
    asking = [promql.parse(query) for _, query in QUERIES]
    users = [one for one in asking if {s.name for s in selectors(one)} & set(definition.samples)]
    assert users, f"no panel and no rule shows {definition.name}"
    for user in users:
        with pytest.raises(UnknownError, match="there is no metric"):
            labels_of(user, without)


def test_a_label_that_is_renamed_is_missed() -> None:
    renamed = {**KNOWN, "maskwatch_people_total": frozenset({"camera", "judged"})}
    with pytest.raises(UnknownError, match=r"no label \['verdict'\]"):
        labels_of(promql.parse("sum by (verdict) (rate(maskwatch_people_total[5m]))"), renamed)
    with pytest.raises(UnknownError, match=r"no label \['verdict'\]"):
        labels_of(promql.parse('maskwatch_people_total{verdict="mask"}'), renamed)
    with pytest.raises(UnknownError, match=r"no label \['camera'\]"):
        labels_of(promql.parse("sum(maskwatch_faces) / on (camera) maskwatch_camera_up"), KNOWN)
    query = "histogram_quantile(0.9, sum(rate(maskwatch_frame_age_seconds_bucket[5m])))"
    with pytest.raises(UnknownError, match=r"no label \['le'\]"):
        labels_of(promql.parse(query), KNOWN)


def test_the_dashboards_are_what_the_definitions_make(tmp_path: Path) -> None:
    write(tmp_path)
    assert {path.name for path in BOARDS} == GENERATED.keys()
    for path in BOARDS:
        again = (tmp_path / path.name).read_text()
        assert again == path.read_text(), "run `python -m deploy.grafana.generate`"


def test_a_panel_can_only_be_made_of_what_is_defined() -> None:
    assert select(PEOPLE, verdict=("mask", "unknown"), camera="$camera") == (
        'maskwatch_people_total{verdict=~"mask|unknown", camera=~"$camera"}'
    )
    with pytest.raises(ValueError, match="has no label judged"):
        select(PEOPLE, judged="mask")
    with pytest.raises(ValueError, match="has no verdict half"):
        select(PEOPLE, verdict="half")
    with pytest.raises(ValueError, match="has no samples maskwatch_people_bucket"):
        select(PEOPLE, "bucket")


def test_a_rate_of_compliance_never_divides_by_the_unknown() -> None:
    rates = [query for where, query in QUERIES if 'verdict="mask"' in query and "/" in query]
    assert len(rates) >= 4
    for query in rates:
        below = query.split("/", 1)[1]
        assert 'verdict=~"mask|incorrect|no_mask"' in below or "people_judged" in below


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.name)
def test_a_grafana_dashboard_is_whole(path: Path) -> None:
    document = board(path)
    panels = document["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({panel["title"] for panel in panels}) == len(panels)
    datasources = yaml.safe_load(
        (ROOT / "deploy/grafana/provisioning/datasources/prometheus.yml").read_text()
    )["datasources"]
    uids = {source["uid"] for source in datasources}
    for panel in panels:
        assert panel["datasource"]["uid"] in uids
        letters = [target["refId"] for target in panel["targets"]]
        assert len(set(letters)) == len(letters)
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.name)
def test_no_panel_lies_on_another(path: Path) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in board(path)["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not taken & cells, panel["title"]
        taken |= cells


def test_what_grafana_is_provisioned_with_is_where_the_image_has_it() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    dockerfile = (ROOT / "deploy/Dockerfile").read_text()
    copied = dict(re.findall(r"^COPY --chmod=\S+ (\S+) (\S+)$", dockerfile, re.MULTILINE))
    providers = yaml.safe_load(
        (ROOT / "deploy/grafana/provisioning/dashboards/maskwatch.yml").read_text()
    )["providers"]
    [folder] = [provider["options"]["path"] for provider in providers]
    assert copied["deploy/grafana/dashboards"] == folder
    home = services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert Path(home).parent == Path(folder)
    assert Path(home).name in {path.name for path in BOARDS}


@pytest.mark.parametrize("name", [rule["alert"] for rule in rules() if "alert" in rule])
def test_an_alert_is_shown_to_fire_and_not_to_fire(name: str) -> None:
    checks = [c for t in RULE_TESTS for c in t.get("alert_rule_test", ()) if c["alertname"] == name]
    assert any(check["exp_alerts"] for check in checks), f"{name} is never shown to fire"
    assert any(not check["exp_alerts"] for check in checks), f"{name} always fires"


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    if not found:
        pytest.skip("needs promtool (Debian: apt-get install prometheus)")
    return found


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_accepts_its_configuration(promtool: str, tmp_path: Path) -> None:
    # With its key where compose mounts it: promtool looks whether the file is there.
    shutil.copytree(PROMETHEUS, tmp_path, dirs_exist_ok=True)
    (tmp_path / "metrics.key").write_text("a key")
    config = tmp_path / "prometheus.yml"
    mounted = "/run/secrets/metrics_key"
    assert mounted in config.read_text()
    config.write_text(config.read_text().replace(mounted, str(tmp_path / "metrics.key")))
    run(promtool, "check", "config", str(config))


def test_the_rules_compute_what_they_say(promtool: str) -> None:
    run(promtool, "test", "rules", str(PROMETHEUS / "rules_test.yml"))


def test_every_panels_query_parses(promtool: str, tmp_path: Path) -> None:
    file = tmp_path / "queries.yml"
    numbered = [{"record": f"query:{n}", "expr": query} for n, (_, query) in enumerate(QUERIES)]
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": numbered}]}))
    run(promtool, "check", "rules", str(file))
