"""The chart as Helm renders it: what Kubernetes would take, and what each process may do."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from deploy.healthcheck import ROLES
from maskwatch.cli import main
from runtime.settings import PREFIX, Settings
from runtime.stopping import LATEST_S
from tests.helm import CASES, CHART, NAMESPACE, RELEASE, ROOT, Json, Rendered, case, render
from tests.manifest_schemas import check
from tests.unit.test_deploy import FINAL_TARGETS, in_target

OPENS_PASSWORDS = {"ingest", "jobs", "alerts", "dashboard"}
ON_THE_CPU = {"ingest", "worker", "jobs", "images", "recordings", "alerts", "dashboard"}
WRITABLE = {"/tmp", "/recordings"}  # noqa: S108 - where pods may write
TOO_LATE_S = 5 * LATEST_S


@pytest.fixture(scope="module")
def charts() -> dict[str, Rendered]:
    return dict(zip(CASES, render(*map(case, CASES)), strict=True))


@pytest.fixture(scope="module", params=CASES)
def chart(request: pytest.FixtureRequest, charts: dict[str, Rendered]) -> Rendered:
    return charts[request.param]


@pytest.fixture(scope="module")
def everything(charts: dict[str, Rendered]) -> Rendered:
    return charts["everything"]


def ours(chart: Rendered) -> dict[str, Json]:
    """The pods that are Maskwatch's own."""
    return {name: pod for name, pod in chart.pods().items() if name != "redis"}


def container(pod: Json) -> Json:
    [only] = pod["spec"]["containers"]
    return only


def variables(pod: Json) -> dict[str, Any]:
    return {one["name"]: one.get("value", one.get("valueFrom")) for one in container(pod)["env"]}


def mounts(pod: Json) -> dict[str, Json]:
    return {one["mountPath"]: one for one in container(pod)["volumeMounts"]}


def test_helm_has_nothing_to_say_against_the_chart(chart: Rendered) -> None:
    assert not chart.refusal
    assert not [message for message in chart.lint if message["severity"] > 1]


@pytest.mark.parametrize("name", CASES)
def test_kubernetes_would_take_every_manifest(charts: dict[str, Rendered], name: str) -> None:
    for manifest in charts[name].manifests:
        check(manifest, "1.37")


def test_the_oldest_kubernetes_that_the_chart_names_would_take_it(everything: Rendered) -> None:
    least = yaml.safe_load((CHART / "Chart.yaml").read_text())["kubeVersion"]
    [version] = re.findall(r"^>=(1\.\d+)\.0-0$", least)
    for manifest in everything.manifests:
        check(manifest, version)


def test_a_misspelled_field_is_found(everything: Rendered) -> None:
    deployment, scaled = everything.of("Deployment")["worker"], everything.of("ScaledObject")
    broken = json.loads(json.dumps(deployment))
    broken["spec"]["template"]["spec"]["securityContext"]["runAsNonroot"] = True
    with pytest.raises(Exception, match="runAsNonroot"):
        check(broken, "1.37")
    broken = json.loads(json.dumps(scaled["worker"]))
    broken["spec"]["maxReplicas"] = 3
    with pytest.raises(Exception, match="maxReplicas"):
        check(broken, "1.37")


def test_there_is_a_process_for_each_role(charts: dict[str, Rendered]) -> None:
    assert set(ROLES) == ON_THE_CPU
    assert charts["smallest"].pods().keys() == ON_THE_CPU | {"redis"}
    assert charts["everything"].pods().keys() == ON_THE_CPU | {"redis", "worker-gpu"}
    elsewhere = charts["gpu-redis-elsewhere"].pods().keys()
    assert elsewhere == (ON_THE_CPU | {"worker-gpu"}) - {"worker"}


def test_a_pod_may_do_as_little_as_it_can(chart: Rendered) -> None:
    for name, pod in chart.pods().items():
        spec, security = pod["spec"], pod["spec"]["securityContext"]
        assert security["runAsNonRoot"] is True
        assert security["runAsUser"] >= 100
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & spec.keys()
        assert container(pod)["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name
        assert {"requests", "limits"} <= container(pod)["resources"].keys()
        assert "cpu" not in container(pod)["resources"]["limits"], "it would be throttled"


def test_the_user_is_the_images_own(chart: Rendered) -> None:
    made = " ".join(in_target("worker", "RUN"))
    for pod in ours(chart).values():
        security = pod["spec"]["securityContext"]
        assert f"--uid {security['runAsUser']} " in made
        assert f"--gid {security['runAsGroup']} " in made


def test_a_process_can_write_where_it_writes_and_nowhere_else(chart: Rendered) -> None:
    for name, pod in ours(chart).items():
        writable = {path for path, one in mounts(pod).items() if not one.get("readOnly")}
        wanted = WRITABLE if name in {"dashboard", "recordings"} else {"/tmp"}  # noqa: S108
        assert writable == wanted, name
        volumes = {volume["name"] for volume in pod["spec"]["volumes"]}
        assert {one["name"] for one in mounts(pod).values()} == volumes
        # The images' HOME and temporary files; the root file system is read-only.
        assert "HOME=/tmp" in " ".join(in_target("worker", "ENV"))


def test_kubernetes_puts_no_variables_of_its_own_among_the_settings(chart: Rendered) -> None:
    # A service named maskwatch-redis would become MASKWATCH_REDIS_PORT, which is refused.
    for pod in chart.pods().values():
        assert pod["spec"]["enableServiceLinks"] is False


def test_every_variable_is_a_setting_that_the_value_fits(chart: Rendered) -> None:
    [settings] = [one["data"] for name, one in chart.of("ConfigMap").items() if name == "settings"]
    for pod in ours(chart).values():
        given = settings | {k: v for k, v in variables(pod).items() if isinstance(v, str)}
        fields = {name.removeprefix(PREFIX).lower(): value for name, value in given.items()}
        assert fields.keys() <= Settings.model_fields.keys()
        Settings(**fields)
        [source] = container(pod)["envFrom"]
        assert source["configMapRef"]["name"] == f"{RELEASE}-settings"


def test_each_role_has_the_secrets_it_needs_and_no_others(everything: Rendered) -> None:
    for name, pod in ours(everything).items():
        role = name.removesuffix("-gpu")
        assert variables(pod)["MASKWATCH_REDIS_USER"] == role
        shown = {
            item["key"]
            for volume in pod["spec"]["volumes"]
            for item in volume.get("secret", {}).get("items", ())
        }
        keys = {"secret.key"} if role in OPENS_PASSWORDS else set()
        keys |= {"metrics.key"} if role == "dashboard" else set()
        assert shown == keys | {"ca.crt", f"redis-{role}.password"}, name
        for variable in ("SECRET_KEY_FILE", "METRICS_KEY_FILE", "REDIS_PASSWORD_FILE"):
            if path := variables(pod).get(PREFIX + variable):
                assert path in files(pod)


def files(pod: Json) -> set[str]:
    """The files that a pod sees of its Secrets, all of which it may only read."""
    folders = {one["name"]: path for path, one in mounts(pod).items() if one.get("readOnly")}
    return {
        f"{folders[volume['name']]}/{item['path']}"
        for volume in pod["spec"]["volumes"]
        for item in volume.get("secret", {}).get("items", ())
    }


def test_redis_knows_every_role_and_is_found_by_all(charts: dict[str, Rendered]) -> None:
    users = (ROOT / "deploy" / "redis-users.acl").read_text()
    for name, rendered in charts.items():
        urls = {variables(pod)["MASKWATCH_REDIS_URL"] for pod in ours(rendered).values()}
        [url] = urls
        speaks_tls = name != "smallest"
        assert url.startswith("rediss://" if speaks_tls else "redis://")
        for pod in ours(rendered).values():
            assert f"user {variables(pod)['MASKWATCH_REDIS_USER']} on" in users
            authority = variables(pod).get("MASKWATCH_REDIS_CA_FILE")
            assert (authority in files(pod)) is (authority is not None) is speaks_tls
    redis = charts["everything"].pods()["redis"]
    arguments = container(redis)["args"]
    assert "--aclfile" in arguments[2]
    assert arguments[3] in files(redis)
    passwords = [path for path in files(redis) if "password" in path]
    assert passwords == ["/run/redis-users/redis-health.password"]
    [service] = [one for one in charts["smallest"].of("Service") if one == "redis"]
    assert f"//{RELEASE}-{service}:6379/" in str(
        variables(charts["smallest"].pods()["worker"])["MASKWATCH_REDIS_URL"]
    )


def test_no_secret_is_in_what_is_rendered(everything: Rendered) -> None:
    assert not everything.of("Secret")
    for one in everything.of("ConfigMap").values():
        assert not re.search(r"://[^/\s]*:[^/\s]*@", json.dumps(one["data"]))


def test_an_image_is_one_that_the_dockerfile_makes_and_runs_what_it_can(chart: Rendered) -> None:
    for pod in ours(chart).values():
        image = container(pod)["image"]
        [target] = re.findall(r"/maskwatch-([a-z-]+):[\d.]+$", image)
        assert target in FINAL_TARGETS
        if "command" in container(pod):
            program, command = container(pod)["command"]
            assert program == "maskwatch"
            assert command in main.commands


def test_a_pod_is_not_killed_because_redis_is_away(chart: Rendered) -> None:
    for name, pod in ours(chart).items():
        probes = {
            kind: container(pod)[f"{kind}Probe"]["exec"]["command"]
            for kind in ("startup", "liveness", "readiness")
        }
        role = name.removesuffix("-gpu")
        assert probes["readiness"] == ["python", "/app/deploy/healthcheck.py", role]
        assert probes["liveness"] == probes["startup"] == [*probes["readiness"], "--alive"]
        assert "deploy/healthcheck.py" in " ".join(in_target("worker", "COPY"))


def test_a_pod_has_time_to_end_by_itself(chart: Rendered) -> None:
    for pod in chart.pods().values():
        assert pod["spec"]["terminationGracePeriodSeconds"] > TOO_LATE_S


def test_a_network_uses_no_more_threads_than_cores_are_asked_for(chart: Rendered) -> None:
    for pod in ours(chart).values():
        threads = variables(pod).get("MASKWATCH_INFERENCE_THREADS")
        if threads is not None:
            cores = container(pod)["resources"]["requests"]["cpu"]
            asked = float(cores[:-1]) / 1000 if cores.endswith("m") else float(cores)
            assert int(threads) <= max(1, asked)


def test_a_worker_on_a_gpu_asks_for_one_and_never_for_one_more_than_there_are(
    everything: Rendered,
) -> None:
    worker = everything.of("Deployment")["worker-gpu"]["spec"]
    assert container(worker["template"])["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert variables(worker["template"])["MASKWATCH_DEVICE"] == "cuda"
    assert worker["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}


def test_what_selects_pods_selects_one_role_and_all_of_it(chart: Rendered) -> None:
    labels = {name: pod["metadata"]["labels"] for name, pod in chart.pods().items()}

    def selected(wanted: dict[str, str]) -> set[str]:
        return {name for name, there in labels.items() if wanted.items() <= there.items()}

    for kind in ("Deployment", "StatefulSet", "PodDisruptionBudget"):
        for name, one in chart.of(kind).items():
            assert selected(one["spec"]["selector"]["matchLabels"]) == {name}
    for name, one in chart.of("Service").items():
        assert selected(one["spec"]["selector"]) == {name}


def test_nodes_can_be_emptied_one_pod_after_the_other(chart: Rendered) -> None:
    budgets = chart.of("PodDisruptionBudget")
    assert budgets.keys() >= {"ingest", "dashboard", "alerts"}
    assert budgets.keys() & {"worker", "worker-gpu"} == chart.pods().keys() & {
        "worker",
        "worker-gpu",
    }
    assert all(one["spec"]["maxUnavailable"] == 1 for one in budgets.values())


def test_recordings_lie_where_dashboard_and_analysis_both_see_them(
    charts: dict[str, Rendered],
) -> None:
    for name, rendered in charts.items():
        pods = rendered.pods()
        claims = {
            volume["persistentVolumeClaim"]["claimName"]
            for role in ("dashboard", "recordings")
            for volume in pods[role]["spec"]["volumes"]
            if volume["name"] == "recordings"
        }
        assert len(claims) == 1
        of_one_node = name != "everything"
        assert ("affinity" in pods["recordings"]["spec"]) is of_one_node
        strategy = rendered.of("Deployment")["dashboard"]["spec"]["strategy"]["type"]
        assert strategy == ("Recreate" if of_one_node else "RollingUpdate")
    assert not charts["gpu-redis-elsewhere"].of("PersistentVolumeClaim"), "it has one already"


def test_the_ingress_has_tls_and_the_dashboard_knows_its_name(everything: Rendered) -> None:
    ingress = everything.of("Ingress")["dashboard"]["spec"]
    [host] = ingress["tls"][0]["hosts"]
    given = variables(everything.pods()["dashboard"])
    assert (given["MASKWATCH_TRUSTED_HOSTS"], given["MASKWATCH_BEHIND_PROXY"]) == (host, "true")
    backend = ingress["rules"][0]["http"]["paths"][0]["backend"]["service"]
    assert backend["name"] == f"{RELEASE}-dashboard"
    assert ingress["rules"][0]["http"]["paths"][0]["path"] == "/masks/"
    assert given["MASKWATCH_PATH_PREFIX"] == "/masks"


def test_prometheus_reads_one_dashboard_under_the_name_that_the_rules_look_for(
    everything: Rendered,
) -> None:
    spec = everything.of("ScrapeConfig")["dashboard"]["spec"]
    [target] = spec["staticConfigs"][0]["targets"]
    assert target == f"{RELEASE}-dashboard.{NAMESPACE}.svc:8000"
    assert {"targetLabel": "job", "replacement": "maskwatch"} in spec["relabelings"]


def test_rules_and_dashboards_are_the_projects_own(everything: Rendered) -> None:
    rules = yaml.safe_load((ROOT / "deploy/prometheus/rules.yml").read_text())
    assert everything.of("PrometheusRule")["rules"]["spec"] == rules
    boards = sorted((ROOT / "deploy/grafana/dashboards").glob("*.json"))
    shown = [
        text
        for name, one in sorted(everything.of("ConfigMap").items())
        if name.startswith("dashboard-")
        for text in one["data"].values()
    ]
    assert [json.loads(text)["title"] for text in shown] == [
        json.loads(board.read_text())["title"] for board in boards
    ]
    assert all("maskwatch-prometheus" not in text for text in shown)


def test_workers_follow_what_the_rules_record(charts: dict[str, Rendered]) -> None:
    rules = yaml.safe_load((ROOT / "deploy/prometheus/rules.yml").read_text())["groups"]
    recorded = {rule.get("record") for group in rules for rule in group["rules"]}
    assert not charts["smallest"].of("ScaledObject")
    for name in ("everything", "gpu-redis-elsewhere"):
        [(target, scaled)] = charts[name].of("ScaledObject").items()
        spec = scaled["spec"]
        assert spec["scaleTargetRef"]["name"] == f"{RELEASE}-{target}"
        assert "replicas" not in charts[name].of("Deployment")[target]["spec"]
        assert {trigger["metadata"]["query"] for trigger in spec["triggers"]} == {
            "maskwatch_workers_busy:rate2m",
            "maskwatch_workers_frame_age:p95_2m",
            "maskwatch_workers_queue:avg2m",
        } & recorded
        assert all(t["metricType"] == "AverageValue" for t in spec["triggers"])
        assert len({trigger["name"] for trigger in spec["triggers"]}) == 3
        assert spec["minReplicaCount"] <= spec["fallback"]["replicas"] <= spec["maxReplicaCount"]
