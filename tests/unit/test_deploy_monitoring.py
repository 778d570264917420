"""The rules and the Grafana dashboards ask for what Maskwatch measures, in queries that parse."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from redis import Redis

from contract import keys
from contract.alerts import AlertStore
from contract.camera_registry import CameraRegistry
from contract.cameras import make_camera
from contract.members import Membership
from contract.totals import (
    BATCH_BUCKETS,
    INFERENCE_BUCKETS_S,
    Increments,
    batch_field,
    inference_field,
)
from dashboard.metrics import TotalsCollector
from tests.alerts import add_webhook

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES = yaml.safe_load((PROMETHEUS / "rules.yml").read_text())
BOARDS = sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))
CLOSED = {"verdict", "stage", "cause", "problem", "outcome"}
"""Labels whose values are all known beforehand."""

Values = dict[str, set[str]]


def rules() -> list[dict[str, Any]]:
    return [rule for group in RULES["groups"] for rule in group["rules"]]


def board(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


def queries() -> Iterator[tuple[str, str]]:
    """Every query as (where it stands, PromQL), Grafana's variables replaced."""
    for rule in rules():
        yield rule.get("record") or rule["alert"], rule["expr"]
    for path in BOARDS:
        for panel in board(path)["panels"]:
            for target in panel["targets"]:
                query = target["expr"].replace("$__range", "6h").replace("$__rate_interval", "1m")
                yield f"{path.name}: {panel['title']}", query.replace("$camera", ".*")


QUERIES = list(queries())


@pytest.fixture
def known(redis: Redis) -> dict[str, Values]:
    """What the collector shows for a camera: sample names to labels to values."""
    CameraRegistry(redis).add(make_camera(name="Gate", source="demo:"))
    inference = Increments()
    inference.observe(inference_field("yunet"), INFERENCE_BUCKETS_S, 0.003)
    inference.observe(batch_field("yunet"), BATCH_BUCKETS, 4)
    for field, amount in inference.items():
        redis.hincrbyfloat(keys.INFERENCE, field, amount)
    AlertStore(redis).evaluated(0.0)
    add_webhook(redis, "http://hook.lan/")
    members = {f"{role}s": Membership(redis, role, 30) for role in ("worker", "ingest")}
    shown: dict[str, Values] = {"up": {"job": {"maskwatch"}}}
    for family in TotalsCollector(redis, members).collect():
        for sample in family.samples:
            labels = shown.setdefault(sample.name, defaultdict(set))
            for label, value in sample.labels.items():
                labels[label].add(value)
    return shown


def selectors(query: str) -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    """The metrics a query selects, with their matchers as (label, operator, value)."""
    for name, matchers in re.findall(r"([a-z_:]*maskwatch[a-z0-9_:]*|\bup\b)(\{[^}]*\})?", query):
        if f'"{name}"' not in query:
            yield name, re.findall(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"', matchers)


@pytest.mark.parametrize(("where", "query"), QUERIES, ids=[where for where, _ in QUERIES])
def test_a_query_asks_for_what_is_there(where: str, query: str, known: dict[str, Values]) -> None:
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    found = list(selectors(query))
    assert found, f"{where} asks for nothing of ours"
    for name, matchers in found:
        assert name in known.keys() | recorded
        for label, _, value in matchers:
            if name in known:
                assert label in known[name], f"{name} has no label {label}"
            if label in CLOSED:
                all_values = set.union(*(labels.get(label, set()) for labels in known.values()))
                assert set(value.split("|")) <= all_values


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


def test_what_grafana_is_provisioned_with_is_where_compose_mounts_it() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    mounts = dict(volume.split(":")[:2] for volume in services["grafana"]["volumes"])
    providers = yaml.safe_load(
        (ROOT / "deploy/grafana/provisioning/dashboards/maskwatch.yml").read_text()
    )["providers"]
    [folder] = [provider["options"]["path"] for provider in providers]
    assert mounts["./deploy/grafana/dashboards"] == folder
    home = services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert Path(home).parent == Path(folder)
    assert Path(home).name in {path.name for path in BOARDS}


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
