"""The images and the compose files, as far as they can be checked without a container engine."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from bus.server.acl import template
from bus.server.roles import ROLES
from runtime.settings import PREFIX, Settings
from runtime.vault import load_vault

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
COMPOSE_FILES = ("docker-compose.yml", "deploy/docker-compose.gpu.yml")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
FINAL_TARGETS = ("ingest", "worker", "worker-gpu", "dashboard")
CONFIGURED = ("prometheus", "grafana")
"""Images of others with our configuration in them."""

ONLY_FOR_MASKWATCH_RUN = {"STATE_DIR", "WORKERS", "INGESTS"}
"""Settings of the command that starts everything on one machine: compose does that itself."""


ON_DEMAND = {"models", "admin"}
STAGES = {"ingest", "worker", "images", "recordings", "jobs", "alerts", "dashboard"}


def instructions() -> list[tuple[str, str, str]]:
    """The Dockerfile as (stage, instruction, its words), continued lines joined."""
    text = re.sub(r"\\\n", " ", DOCKERFILE.read_text())
    found, stage = [], ""
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        if not word or word.startswith("#"):
            continue
        if word == "FROM":
            stage = rest.split(" AS ")[1]
        found.append((stage, word, " ".join(rest.split())))
    return found


def in_target(target: str, instruction: str) -> list[str]:
    """The words of every such instruction of a target, those of the stages below it first."""
    bases = {stage: words.split()[0] for stage, word, words in instructions() if word == "FROM"}
    below = in_target(bases[target], instruction) if bases[target] in bases else []
    return below + [
        w for stage, word, w in instructions() if (stage, word) == (target, instruction)
    ]


def copied_sources(target: str) -> list[str]:
    """What a target copies from the repository."""
    lines = [line for line in in_target(target, "COPY") if "--from=" not in line]
    return [
        source
        for line in lines
        for source in [word for word in line.split() if not word.startswith("--")][:-1]
    ]


def requirements(path: Path) -> dict[str, Requirement]:
    lines = (
        line.partition(" #")[0].strip() for line in path.read_text(encoding="utf-8").splitlines()
    )
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {requirement.name: requirement for requirement in found}


@pytest.mark.parametrize("name", COMPOSE_FILES)
def test_a_compose_file_follows_the_compose_specification(name: str) -> None:
    catalog = pytest.importorskip(
        "check_jsonschema.builtin_schemas", reason="check-jsonschema carries the schema"
    )
    jsonschema = pytest.importorskip("jsonschema")
    schema = catalog.get_builtin_schema("vendor.compose-spec")
    # The merge keys and names without values are YAML; what is checked is what they come to.
    jsonschema.validate(yaml.safe_load((ROOT / name).read_text()), schema)


@pytest.mark.parametrize("files", [COMPOSE_FILES[:1], COMPOSE_FILES], ids=["cpu", "gpu"])
def test_docker_compose_accepts_the_files_together(files: tuple[str, ...]) -> None:
    docker = shutil.which("docker")
    if not docker or subprocess.run([docker, "compose", "version"], capture_output=True).returncode:
        pytest.skip("needs the docker command with its compose plugin")
    chosen = [part for name in files for part in ("-f", name)]
    run = subprocess.run(
        [docker, "compose", *chosen, "config", "--format", "json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["services"].keys() == SERVICES.keys()


@pytest.mark.parametrize("path", [*COMPOSE_FILES, "deploy/Dockerfile"])
def test_every_variable_that_is_set_is_a_setting(path: str) -> None:
    used = set(re.findall(rf"{PREFIX}([A-Z_]+)", (ROOT / path).read_text()))
    assert used, "a rename left nothing to check"
    assert {name.lower() for name in used} <= Settings.model_fields.keys()


def test_every_setting_can_be_set_through_compose() -> None:
    offered = {
        name.removeprefix(PREFIX)
        for service in SERVICES.values()
        for name in service.get("environment", {})
        if name.startswith(PREFIX)
    }
    assert {name.upper() for name in Settings.model_fields} - offered == ONLY_FOR_MASKWATCH_RUN


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_is_hardened_watched_and_ends_in_peace(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "stop_grace_period" in service
    assert "healthcheck" in service
    assert not {"privileged", "network_mode", "pid", "container_name"} & service.keys()
    one_shot = name in ON_DEMAND
    assert service["restart"] == ("on-failure:5" if one_shot else "unless-stopped")
    assert service["healthcheck"].get("disable", False) is one_shot
    if service.get("build", {}).get("target") in CONFIGURED or name == "redis":
        assert re.fullmatch(r"[1-9]\d*:\d+", service["user"]), "an image of others, run as root"


def test_nothing_is_published_beyond_this_host_unless_somebody_says_so() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    defaults = [re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", port) for port in published]
    assert defaults == [
        "127.0.0.1:8000:8000",
        "127.0.0.1:9090:9090",
        "127.0.0.1:3000:3000",
    ]


def test_redis_is_reachable_from_the_inner_network_only() -> None:
    assert SERVICES["redis"]["networks"] == ["bus"]
    assert COMPOSE["networks"]["bus"] == {"internal": True}
    assert "ports" not in SERVICES["redis"]


def test_no_service_waits_for_a_redis_that_has_lost_data() -> None:
    """The dashboard says what is missing, and `admin` brings it back."""
    waits = [
        one["depends_on"]["redis"]
        for one in SERVICES.values()
        if "redis" in one.get("depends_on", ())
    ]
    assert waits
    assert all(one == {"condition": "service_started"} for one in waits)


def test_redis_keeps_its_data_and_never_evicts() -> None:
    command = SERVICES["redis"]["command"]
    options = dict(zip(command[4::2], command[5::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--maxmemory-policy"] == "noeviction"
    assert "redis:/data" in SERVICES["redis"]["volumes"]


def test_no_secret_is_written_down() -> None:
    telling = re.compile(r"password|secret|token|credential|api_?key", re.IGNORECASE)
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            # A switch about secrets is none, and neither is where one is mounted.
            if telling.search(name) and value not in {"true", "false"}:
                assert str(value).startswith(("${", "/run/secrets/")), name
        assert "@" not in str(service.get("environment", {}).get("MASKWATCH_REDIS_URL", ""))


def test_what_services_name_is_there() -> None:
    for service in SERVICES.values():
        assert set(service.get("depends_on", ())) <= SERVICES.keys()
        assert set(service["networks"]) <= COMPOSE["networks"].keys()
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (ROOT / source).is_dir(), source
            else:
                assert source in COMPOSE["volumes"], source


def test_nobody_waits_for_a_service_that_only_a_profile_starts() -> None:
    # Compose calls such a file invalid: without the profile, that service is not there.
    for name, service in SERVICES.items():
        for other in service.get("depends_on", ()):
            wanted = set(SERVICES[other].get("profiles", ()))
            assert wanted <= set(service.get("profiles", ())), f"{name} waits for {other}"


def test_a_secret_goes_to_those_who_need_it_and_no_further(tmp_path: Path) -> None:
    given = {name: set(service.get("secrets", ())) for name, service in SERVICES.items()}
    assert {name for name, secrets in given.items() if "secret_key" in secrets} == {
        "ingest",
        "jobs",
        "alerts",
        "dashboard",
        "admin",
    }
    assert {name for name, secrets in given.items() if "metrics_key" in secrets} == {
        "dashboard",
        "prometheus",
    }
    for name, service in SERVICES.items():
        for value in (service.get("environment") or {}).values():
            if str(value).startswith("/run/secrets/"):
                assert str(value).removeprefix("/run/secrets/") in given[name]
    for file in ("make_secrets.sh", "redis-users.acl"):
        shutil.copy(ROOT / "deploy" / file, tmp_path)
    for _ in range(2):  # the second time changes nothing
        subprocess.run([tmp_path / "make_secrets.sh"], check=True, capture_output=True)
        made = {source["file"] for source in COMPOSE["secrets"].values()}
        assert made == {f"deploy/secrets/{path.name}" for path in (tmp_path / "secrets").iterdir()}
        vault = load_vault(tmp_path / "secrets" / "secret.key")
        sealed = vault.seal("x")
    assert load_vault(tmp_path / "secrets" / "secret.key").open(sealed) == "x"
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0


def test_each_stage_comes_into_redis_as_its_own_user(tmp_path: Path) -> None:
    for name in STAGES | {"admin"}:
        service = SERVICES[name]
        assert service["environment"]["MASKWATCH_REDIS_USER"] == name
        given = f"/run/secrets/redis_{name}"
        assert service["environment"]["MASKWATCH_REDIS_PASSWORD_FILE"] == given
        assert [one for one in service["secrets"] if one.startswith("redis_")] == [f"redis_{name}"]
    assert SERVICES["redis"]["secrets"] == ["redis_users", "redis_health"]
    for file in ("make_secrets.sh", "redis-users.acl"):
        shutil.copy(ROOT / "deploy" / file, tmp_path)
    subprocess.run([tmp_path / "make_secrets.sh"], check=True, capture_output=True)
    made = (tmp_path / "secrets" / "redis-users.acl").read_text()
    for role in ROLES:
        password = (tmp_path / "secrets" / f"redis-{role}.password").read_text()
        assert re.fullmatch("[0-9a-f]{64}", password)
        digest = hashlib.sha256(password.encode()).hexdigest()
        made = made.replace(f"#{digest} ", f"#PASSWORD-OF-{role} ")
    assert made == template()


def test_every_image_that_compose_builds_is_in_the_dockerfile() -> None:
    for name in COMPOSE_FILES:
        for service in yaml.safe_load((ROOT / name).read_text())["services"].values():
            if "build" in service:
                assert service["build"]["target"] in (*FINAL_TARGETS, *CONFIGURED)
                assert ROOT / service["build"]["dockerfile"] == DOCKERFILE


@pytest.mark.parametrize("target", FINAL_TARGETS)
def test_an_image_runs_as_nobody_special_and_says_whether_it_is_well(target: str) -> None:
    assert in_target(target, "USER") == ["maskwatch"]
    assert len(in_target(target, "HEALTHCHECK")) == 1
    assert len(in_target(target, "CMD")) == 1


@pytest.mark.parametrize(
    "target", sorted({stage for stage, word, _ in instructions() if word == "COPY"})
)
def test_what_an_image_copies_exists_and_is_sent_to_the_builder(target: str) -> None:
    allowed = [
        line.strip().removeprefix("!").rstrip("/")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    for source in copied_sources(target):
        assert (ROOT / source).exists(), source
        assert any(fnmatch(source, pattern) for pattern in allowed), f"{source} is ignored"


@pytest.mark.parametrize("target", FINAL_TARGETS)
def test_an_images_packages_are_the_projects_own_at_the_same_versions(target: str) -> None:
    whole = requirements(ROOT / "requirements.txt")
    chosen = requirements(ROOT / "deploy" / f"requirements-{target}.txt")
    gpu = chosen.pop("onnxruntime-gpu", None)
    if gpu:
        assert gpu.specifier == whole["onnxruntime"].specifier
        assert "onnxruntime" not in chosen
    for name, requirement in chosen.items():
        assert str(requirement) == str(whole.get(name)), f"{name} differs from requirements.txt"


def test_the_gpu_image_differs_from_the_other_in_onnx_runtime_only() -> None:
    on_cpu, on_gpu = (
        requirements(ROOT / "deploy" / f"requirements-{name}.txt") for name in FINAL_TARGETS[1:3]
    )
    assert on_cpu.keys() ^ on_gpu.keys() == {"onnxruntime", "onnxruntime-gpu"}


def test_images_of_others_have_a_version() -> None:
    arguments = [words for _, word, words in instructions() if word == "ARG" and "_IMAGE=" in words]
    named = [words.partition("=")[2] for words in arguments] + [SERVICES["redis"]["image"]]
    assert len(named) == 4
    assert all(re.search(r":v?\d", name) for name in named)


def test_an_image_is_built_by_one_service_and_never_asked_of_a_registry() -> None:
    builders = [one["image"] for one in SERVICES.values() if "build" in one]
    assert len(set(builders)) == len(builders), "two builds with one tag: `up` recreates services"
    for name, one in SERVICES.items():
        if "build" not in one and one["image"].startswith("maskwatch-"):
            assert one["pull_policy"] == "never", name
            assert one["image"] in builders, name


@pytest.mark.parametrize(
    "stage", sorted({stage for stage, word, _ in instructions() if word == "COPY"})
)
def test_what_is_copied_can_be_read_whatever_the_checkouts_rights_are(stage: str) -> None:
    for line in [words for of, word, words in instructions() if (of, word) == (stage, "COPY")]:
        assert line.startswith(("--chmod=", "--from=")) or "requirements" in line, line
