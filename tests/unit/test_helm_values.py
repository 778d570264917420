"""What can be set in the chart: documented, and refused in clear words where it is wrong."""

from __future__ import annotations

import json
from typing import Any

import yaml

from deploy.helm.values_table import table
from runtime.settings import PREFIX, Settings
from tests.helm import CHART, Json, case, render

VALUES: Json = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA: Json = json.loads((CHART / "values.schema.json").read_text())
OF_REDIS: Json = yaml.safe_load((CHART / "charts/redis/values.yaml").read_text())
SET_BY_THE_CHART = {
    *(
        "redis_ca_file",
        "redis_certificate_file",
        "redis_key_file",
    ),  # no Secret for the last two yet
    *(
        "redis_url",
        "redis_user",
        "redis_password_file",
        "secret_key_file",
        "metrics_key_file",
        "state_dir",
        "recordings_dir",
    ),
    *("models_dir", "device", "inference_threads", "host", "port"),
    *("workers", "ingests"),  # of `maskwatch run`
    "classifier_runtime",  # the images have one
    "published_address",  # of a host: in a cluster an Ingress publishes
}
WRONG: list[tuple[Json, str]] = [
    ({"image": {"registry": ""}}, "'/image/registry': minLength"),
    ({"worker": {"replicas": "three"}}, "'/worker/replicas': got string, want integer"),
    ({"worker": {"replica": 3}}, "'/worker': additional properties 'replica' not allowed"),
    ({"wroker": {}}, "additional properties 'wroker' not allowed"),
    ({"settings": {"MASKWATCH_LOGLEVEL": "INFO"}}, "'MASKWATCH_LOGLEVEL' not allowed"),
    ({"settings": {"MASKWATCH_REDIS_URL": "redis://u:p@h/0"}}, "'MASKWATCH_REDIS_URL' not allowed"),
    ({"ingress": {"enabled": True}}, "'/ingress/host': minLength"),
    ({"autoscaling": {"enabled": True}}, "'/autoscaling/prometheus'"),
    ({"autoscaling": {"busyShare": 70}}, "'/autoscaling/busyShare': maximum: got 70, want 1"),
    ({"autoscaling": {"target": "ingest"}}, "'/autoscaling/target': value must be one of"),
    ({"redis": {"enabled": False}}, "'/networkPolicy/redisCidrs': minItems: got 0, want 1"),
    ({"redis": {"enabled": False}}, "'/redisUrl': minLength: got 0, want 1"),
    ({"redisUrl": "redis://user:word@h/0"}, "'/redisUrl': 'redis://user:word@h/0' does not match"),
    ({"redis": {"maxmemory": "1"}}, "'/redis/maxmemory'"),
    ({"networkPolicy": {"cameraCidrs": ["10.20.0.0"]}}, "'/networkPolicy/cameraCidrs/0'"),
    ({"networkPolicy": {"dashboardFrom": []}}, "'/networkPolicy/dashboardFrom': minItems"),
    ({"recordings": {"persistence": {"size": "20"}}}, "'/recordings/persistence/size'"),
    ({"dashboard": {"replicas": 2}}, "set recordings.persistence.accessModes to [ReadWriteMany]"),
    (
        {"autoscaling": {"enabled": True, "prometheus": "http://p:9090", "target": "workerGpu"}},
        "workerGpu.enabled is false",
    ),
    (
        {"autoscaling": {"enabled": True, "prometheus": "http://p:9090", "minReplicas": 9}},
        "autoscaling.minReplicas is 9, more than autoscaling.maxReplicas, which is 8",
    ),
]


def with_defaults(values: Json) -> Json:
    return case("smallest") | values


def test_a_wrong_value_is_refused_in_clear_words() -> None:
    answers = render(*(with_defaults(values) for values, _ in WRONG))
    for (values, words), answer in zip(WRONG, answers, strict=True):
        assert words in answer.refusal, f"{values}: {answer.refusal or 'was taken'}"


def keys(values: Any, above: str = "") -> set[str]:
    """The path of everything that can be set; what is empty by default has nothing below."""
    if not isinstance(values, dict) or not values:
        return {above}
    return {
        path for name, one in values.items() for path in keys(one, f"{above}.{name}".lstrip("."))
    }


def described(path: str) -> bool:
    """Whether the schema has a property at a path, rather than anything whatever."""
    schema = SCHEMA
    for name in path.split("."):
        while "$ref" in schema:
            schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
        if name not in schema.get("properties", {}):
            return schema.get("additionalProperties", True) is not False
        schema = schema["properties"][name]
    return True


def test_the_schema_has_every_value_and_no_other() -> None:
    for path in keys(VALUES) | keys(OF_REDIS, "redis"):
        assert described(path), path
    for name, section in SCHEMA["properties"].items():
        offered = section.get("properties", {}).keys() - {"global"}
        there = VALUES.get(name, {}) if name != "redis" else OF_REDIS | VALUES["redis"]
        if name not in {"settings", "global"} and offered:
            assert offered == there.keys(), name


def test_every_setting_can_be_set_but_those_that_the_chart_sets() -> None:
    offered = SCHEMA["properties"]["settings"]["properties"].keys()
    wanted = Settings.model_fields.keys() - SET_BY_THE_CHART
    assert offered == {f"{PREFIX}{name.upper()}" for name in wanted}, (
        "a setting goes into deploy/helm/values.schema.json, too, or into SET_BY_THE_CHART here"
    )


def test_the_readme_has_every_value_with_its_default() -> None:
    readme = (CHART / "README.md").read_text()
    shown = table((CHART / "values.yaml").read_text())
    shown_of_redis = table((CHART / "charts/redis/values.yaml").read_text(), "redis.")
    assert shown in readme, "paste what `python -m deploy.helm.values_table` prints"
    assert shown_of_redis in readme, "paste what `python -m deploy.helm.values_table` prints"
    rows = [line.split("`")[1] for line in shown.splitlines() if line.startswith("| `")]
    assert set(rows) == keys(VALUES)
