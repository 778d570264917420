"""Every setting, in one place, from `MASKWATCH_*` in the environment."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from contract.errors import SettingsError
from contract.field_words import field_words
from contract.people.minutes import HISTORY_DAYS, LONGEST_HISTORY_DAYS
from contract.people.people import LEAST_CONFIDENCE
from contract.redaction import HIDDEN, redact_text
from runtime.redis_address.address import with_login
from runtime.redis_address.tls import with_tls
from runtime.redis_address.typed import as_written

PREFIX: Final = "MASKWATCH_"
LONGEST_PREFIX: Final = 200
"""Most characters of the path under which a proxy serves the dashboard."""

_PATH_PREFIX: Final = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+", re.ASCII)


def is_path_prefix(path: str) -> bool:
    """Whether the dashboard can be served under this path: no escapes, no dots in front."""
    return len(path) <= LONGEST_PREFIX and _PATH_PREFIX.fullmatch(path) is not None


class Settings(BaseSettings):
    """All settings. Read them once with `load_settings` and pass them on."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    redis_url: str | None = Field(
        None,
        description="Redis to use, 6.2 or newer. With sentinels: "
        "redis+sentinel://host:26379,other:26379/service/0. A cluster: "
        "redis+cluster://host:7000,other:7001/. Unset: `maskwatch run` starts its "
        "own Redis.",
    )
    redis_user: str | None = Field(
        None,
        description="User to sign in to Redis with, if each role has its own (`maskwatch "
        "redis-acl`).",
    )
    redis_password_file: Path | None = Field(
        None, description="File with that user's password, or with the password of Redis."
    )
    redis_ca_file: Path | None = Field(
        None,
        description="File with an authority's certificate. Redis' certificate must come from it "
        "or from an authority that the system trusts. For rediss://.",
    )
    redis_certificate_file: Path | None = Field(
        None, description="File with a client certificate, if Redis asks for one. For rediss://."
    )
    redis_key_file: Path | None = Field(
        None,
        description="File with the client certificate's key, if the certificate's file lacks it.",
    )
    state_dir: Path = Field(
        Path("state"), description="Where `maskwatch run` keeps its Redis data, logs and models."
    )
    host: str = Field("127.0.0.1", description="Address the dashboard listens on.")
    port: int = Field(8000, ge=1, le=65535, description="Port the dashboard listens on.")
    published_address: str = Field(
        "",
        pattern=r"^(.+:[0-9]{1,5})?$",
        description="Address and port at which this host publishes the dashboard's container, "
        "for links on the terminal. Unset: MASKWATCH_HOST and MASKWATCH_PORT.",
    )
    trusted_hosts: str = Field(
        "",
        description="Host names under which people open the dashboard, separated by commas. "
        "Addresses, names without a dot, and .local, .internal and .lan names need "
        "no entry.",
    )
    behind_proxy: bool = Field(
        False,
        description="A proxy in front does TLS, so cookies travel over HTTPS only. Needs "
        "MASKWATCH_PROXY_ADDRESSES.",
    )
    proxy_addresses: str = Field(
        "",
        description="Addresses and networks of the proxies in front, separated by commas. The "
        "dashboard believes X-Forwarded headers from these alone.",
    )
    path_prefix: str = Field(
        "",
        description="Path under which a proxy serves the dashboard, such as /maskwatch. Unset: "
        "the one that the proxy names in X-Forwarded-Prefix, or the host's root.",
    )
    secret_key_file: Path | None = Field(
        None,
        description="File with the key that encrypts passwords and signs cookies. Ingest, jobs, "
        "alerts and dashboard need the same one. Unset: `secret.key` in the state "
        "folder, which `maskwatch run` creates.",
    )
    metrics_key_file: Path | None = Field(
        None,
        description="File with a key that may read `/metrics` and nothing else, in addition to "
        "the API keys created on the dashboard.",
    )
    workers: int | None = Field(
        None,
        ge=0,
        le=64,
        description="Workers that `maskwatch run` starts. Unset: one for each core, up to four, "
        "or one if MASKWATCH_DEVICE is cuda.",
    )
    ingests: int = Field(
        1, ge=0, le=64, description="Ingest processes that `maskwatch run` starts."
    )
    webcams: int = Field(
        4, ge=0, le=64, description="Most browsers' webcams that run at once. 0 allows none."
    )
    recordings_dir: Path | None = Field(
        None,
        description="Folder for uploaded recordings, shared by the dashboard and `maskwatch "
        "recordings`. Unset: `recordings` in the state folder.",
    )
    recording_max_mb: int = Field(
        500, ge=1, le=65536, description="Largest size of an uploaded recording, in megabytes."
    )
    recording_max_minutes: float = Field(
        60.0, gt=0, le=1440, description="Longest duration of an uploaded recording, in minutes."
    )
    recording_kept_hours: float = Field(
        24.0,
        ge=0.1,
        le=720,
        description="Hours after which the report and video of an uploaded recording are "
        "deleted. The recording itself is deleted after its analysis.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="How much the processes log."
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="`text` writes lines for people, `json` one object a line for programs."
    )
    trace_every: int = Field(
        0,
        ge=0,
        le=1_000_000,
        description="Trace one in this many frames of each camera through all stages with "
        "OpenTelemetry. 0 traces no frame. Needs `deploy/requirements-tracing.lock`.",
    )
    trace_url: str = Field(
        "http://127.0.0.1:4318/v1/traces",
        pattern=r"^https?://[^/]",
        description="OTLP receiver (HTTP) of the spans.",
    )

    detector: Literal["maskwatch", "yunet", "ssd"] = Field(
        "maskwatch", description="Face detector of cameras that do not name one."
    )
    detector_width: int = Field(
        640,
        ge=160,
        le=3840,
        description="Width in pixels to which frames are scaled for the detector. `ssd` always "
        "uses 300x300.",
    )
    detector_threshold: float | None = Field(
        None,
        ge=0.05,
        le=0.99,
        description="Lowest score of a face. Unset: the detector's own default.",
    )
    classifier_runtime: Literal["onnx", "tensorflow"] = Field(
        "onnx", description="Runtime of the mask classifier."
    )
    classifier_path: Path | None = Field(
        None, description="Another classifier file. Unset: the one that ships with Maskwatch."
    )
    models_dir: Path | None = Field(
        None, description="Folder with network files that do not ship with Maskwatch."
    )
    models_url: str | None = Field(
        None,
        description="Web folder from which `maskwatch models pull` fetches, for closed networks.",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="Where the networks run. `auto` uses CUDA if ONNX Runtime offers it."
    )
    inference_threads: int = Field(
        1,
        ge=0,
        le=256,
        description="Threads that a network may use in a worker. 0 means one per core.",
    )

    staleness_budget_s: float = Field(
        0.5,
        gt=0,
        le=60,
        description="Age in seconds at which a worker drops a frame and counts the drop. Half "
        "of it if a newer frame of the camera is waiting.",
    )
    stream_max_frames: int = Field(
        8,
        ge=2,
        le=256,
        description="Frames that a camera's stream holds before it drops the oldest.",
    )
    max_batch: int = Field(
        16, ge=1, le=256, description="Most frames that a worker analyses at once."
    )
    lease_s: float = Field(
        2.0,
        ge=0.5,
        le=60,
        description="Seconds of silence after which another process takes over a camera.",
    )
    history_days: int = Field(
        HISTORY_DAYS,
        ge=1,
        le=LONGEST_HISTORY_DAYS,
        description="Days for which each camera's minutes are kept: people, faces, time analysed.",
    )
    least_confidence: float = Field(
        LEAST_CONFIDENCE,
        ge=0,
        le=0.98,
        description="Least chance of being right at which a person gets a verdict; below it the "
        "person is `unknown`. On real clips 1.7 % of the verdicts from 0.9 on are wrong (95 % "
        "interval: 0 to 9 %) and 19 % of the people `unknown`, from 0.8 on 3.7 and 17 %, from 0.95 "
        "on 0 and 25 %.",
    )
    open_timeout_s: float = Field(
        6.0, ge=0.5, le=120, description="Longest wait for a camera to open, in seconds."
    )
    read_timeout_s: float = Field(
        5.0, ge=0.5, le=120, description="Longest wait for a camera's next packet, in seconds."
    )
    reconnect_max_s: float = Field(
        3.0,
        ge=0.5,
        le=600,
        description="Longest pause between attempts to reach a camera, in seconds.",
    )
    reader_memory_mb: int = Field(
        1024,
        ge=384,
        le=65536,
        description="Most memory for a process that decodes one camera's stream, in megabytes.",
    )
    upload_memory_mb: int = Field(
        1792,  # below the 2 GiB that containers have
        ge=512,
        le=65536,
        description="Most memory for a process that decodes and analyses uploads, in megabytes.",
    )
    source_hosts_allowed: str = Field(
        "",
        description="Addresses and networks that cameras may have, separated by commas "
        "(10.20.0.0/16, 192.168.1.7). Unset: all except addresses that are always refused.",
    )
    source_hosts_refused: str = Field(
        "",
        description="Addresses and networks that cameras may not have, separated by commas. "
        "The addresses at which clouds hand out credentials are always refused.",
    )
    source_folders: str = Field(
        "",
        description="Folders from which video files may be played, separated by commas. Unset: "
        "any folder, but only for an administrator of all cameras or the command line.",
    )
    file_speed: float = Field(
        1.0,
        ge=0,
        le=100,
        description="Playback speed of video files as cameras. 1 is real time. 0 plays "
        "them as fast as workers follow, for measurements.",
    )

    @field_validator("redis_url")
    @classmethod
    def _redis_url_is_one(cls, url: str | None) -> str | None:
        return as_written(url) if url is not None else None

    @field_validator("source_hosts_allowed", "source_hosts_refused", "proxy_addresses")
    @classmethod
    def _networks_are_some(cls, networks: str) -> str:
        for part in filter(None, map(str.strip, networks.split(","))):
            ipaddress.ip_network(part, strict=False)
        return networks

    @field_validator("path_prefix")
    @classmethod
    def _prefix_is_a_path(cls, prefix: str) -> str:
        prefix = prefix.strip().rstrip("/")
        if prefix and not is_path_prefix(prefix):
            raise ValueError(
                "expected a path such as /maskwatch, of letters, digits and the signs . _ ~ -"
            )
        return prefix

    @property
    def where_models_are(self) -> Path:
        """Return the folder of networks that do not ship; default: `models` in the state folder."""
        return self.models_dir or self.state_dir / "models"

    @property
    def where_recordings_are(self) -> Path:
        """Return the folder of uploaded recordings; by default in the state folder."""
        return self.recordings_dir or self.state_dir / "recordings"

    @property
    def where_the_secret_key_is(self) -> Path:
        """Return the key file for encryption; by default in the state folder."""
        return self.secret_key_file or self.state_dir / "secret.key"

    def require_redis_url(self) -> str:
        """Return the address of Redis with its login. Callers must not log it.

        Raises:
            SettingsError: no address is set, or its login or TLS files cannot be used.
        """
        if self.redis_url is None:
            raise SettingsError(
                f"{PREFIX}REDIS_URL is not set; set it, or use `maskwatch run`, "
                "which starts a Redis of its own"
            )
        url = with_login(self.redis_url, self.redis_user, self.redis_password_file)
        return with_tls(url, self.redis_ca_file, self.redis_certificate_file, self.redis_key_file)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # `load_settings` passes the environment, so that a test can pass its own.
        return (init_settings,)


def load_settings(environment: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Return the settings in `environment` (default: this process's), with `overrides` applied.

    Raises:
        SettingsError: a `MASKWATCH_*` variable is unknown or invalid; says the nearest known name
            or the expected value.
    """
    source = os.environ if environment is None else environment
    given = {
        name[len(PREFIX) :].lower(): value
        for name, value in source.items()
        if name.startswith(PREFIX) and value != ""
    }
    _refuse_unknown(given)
    try:
        settings = Settings(**{**given, **overrides})
    except ValidationError as error:
        raise SettingsError(_explain(error)) from None
    if settings.behind_proxy and not settings.proxy_addresses.strip():
        raise SettingsError(
            f"{PREFIX}BEHIND_PROXY is set, but no {PREFIX}PROXY_ADDRESSES; set it to the address "
            "that the proxy connects from (127.0.0.1 for one on this machine). Otherwise "
            "Maskwatch could not tell clients apart"
        )
    return settings


def _refuse_unknown(given: Mapping[str, str]) -> None:
    for name in given:
        if name in Settings.model_fields:
            continue
        near = get_close_matches(name, Settings.model_fields, n=1)
        hint = f" Did you mean {PREFIX}{near[0].upper()}?" if near else ""
        raise SettingsError(
            f"{PREFIX}{name.upper()} is not a setting.{hint} "
            "docs/reference/settings.md lists all settings."
        )


def _explain(error: ValidationError) -> str:
    return "; ".join(
        f"{PREFIX}{name.upper()}={_shown(name, problem['input'])}: {field_words(problem)}"
        for problem in error.errors()
        for name in [str(problem["loc"][0]) if problem["loc"] else "?"]
    )


def _shown(name: str, value: object) -> str:
    # An address that cannot be read has a password that nobody can find, so nothing of it is shown.
    return HIDDEN if name.endswith("_url") else repr(redact_text(str(value)))
