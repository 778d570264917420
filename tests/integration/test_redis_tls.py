"""A real Redis that speaks TLS, with certificates that are well and others that are not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from benchmarks.system import free_port
from bus import keys
from bus.connection.client import check_server, connect, explain
from bus.jobs.process import only
from contract.errors import RedisUnavailableError, SettingsError
from runtime.settings import Settings, load_settings
from tests.builders import add_camera
from tests.servers.certificates import Authority
from tests.servers.ingest_process import eventually
from tests.servers.redis_server import redis_server

ran: list[str] = []


def note(word: str) -> None:
    ran.append(word)


@contextmanager
def tls_server(
    authority: Authority, files: tuple[Path, Path], folder: Path, ask: str = "no"
) -> Iterator[int]:
    """A Redis 7 that speaks nothing but TLS; `ask`: whether it asks for certificates of ours."""
    port = free_port()
    options = {
        "tls-port": str(port),
        "tls-cert-file": str(files[0]),
        "tls-key-file": str(files[1]),
        "tls-ca-cert-file": str(authority.file),
        "tls-auth-clients": ask,
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    with redis_server(folder / "data", "7", *arguments, port=0):
        yield port


def settings(port: int, host: str = "localhost", **files: Path) -> Settings:
    named = {f"MASKWATCH_REDIS_{name.upper()}_FILE": str(path) for name, path in files.items()}
    return load_settings({"MASKWATCH_REDIS_URL": f"rediss://{host}:{port}/0", **named})


def complaint(chosen: Settings) -> str:
    with pytest.raises(RedisUnavailableError) as caught:
        check_server(connect(chosen.require_redis_url()))
    return str(caught.value)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "ours")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_cameras_and_jobs_go_over_tls_with_an_authority_of_ones_own(
    authority: Authority, tmp_path: Path, host: str
) -> None:
    with tls_server(authority, authority.issue("redis"), tmp_path) as port:
        redis = connect(settings(port, host, ca=authority.file).require_redis_url(), "tests")
        assert check_server(redis).startswith("7")
        assert add_camera(redis).name == "Gate"
        queue = Queue(keys.JOBS_QUEUE, connection=redis, serializer=JSONSerializer)
        queue.enqueue(f"{__name__}.note", "well")
        job_class = only(f"{__name__}.note")
        worker = SimpleWorker(
            [queue], connection=redis, serializer=JSONSerializer, job_class=job_class
        )
        worker.work(burst=True, logging_level="WARNING")
        assert ran.pop() == "well"
        assert redis.client_list()[0]["name"]


def test_who_is_not_trusted_is_not_talked_to_and_the_words_say_why(
    authority: Authority, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path, "others")
    with tls_server(authority, authority.issue("redis"), tmp_path / "1") as port:
        assert "authority that is not trusted" in complaint(settings(port))
        assert "authority that is not trusted" in complaint(settings(port, ca=stranger.file))
    expired = authority.issue("old", lasts=timedelta(days=-1))
    with tls_server(authority, expired, tmp_path / "2") as port:
        assert "has expired" in complaint(settings(port, ca=authority.file))
    elsewhere = authority.issue("elsewhere", host="redis.example")
    with tls_server(authority, elsewhere, tmp_path / "3") as port:
        for host in ("localhost", "127.0.0.1"):
            assert "for another name" in complaint(settings(port, host, ca=authority.file))


def test_a_redis_that_asks_who_we_are_is_told(authority: Authority, tmp_path: Path) -> None:
    certificate, key = authority.issue("worker")
    with tls_server(authority, authority.issue("redis"), tmp_path, ask="yes") as port:
        # It may have closed the connection before we hear why.
        unknown = settings(port, ca=authority.file)
        assert eventually(lambda: "asks for a client certificate" in complaint(unknown))
        known = settings(port, ca=authority.file, certificate=certificate, key=key)
        assert check_server(connect(known.require_redis_url())).startswith("7")


@pytest.mark.parametrize("query", ["ssl_cert_reqs=none", "ssl_check_hostname=false"])
def test_an_address_that_trusts_anybody_is_refused(query: str) -> None:
    with pytest.raises(SettingsError, match="protects against nobody"):
        load_settings({"MASKWATCH_REDIS_URL": f"rediss://host/0?{query}"})


def test_files_that_cannot_be_used_are_named_before_anything_starts(
    authority: Authority, tmp_path: Path
) -> None:
    torn = tmp_path / "torn.pem"
    torn.write_text("-----BEGIN CERTIFICATE-----\nnothing")
    _, key = authority.issue("worker")
    other, _ = authority.issue("other")
    for files, words in (
        ({"ca": tmp_path / "none"}, "MASKWATCH_REDIS_CA_FILE=.*cannot be read: No such file"),
        ({"ca": torn}, "MASKWATCH_REDIS_CA_FILE=.*contains no matching certificate"),
        ({"certificate": other, "key": key}, "MASKWATCH_REDIS_CERTIFICATE_FILE=.*no matching"),
        ({"key": key}, "without MASKWATCH_REDIS_CERTIFICATE_FILE"),
    ):
        with pytest.raises(SettingsError, match=words):
            settings(6379, **files).require_redis_url()
    with pytest.raises(SettingsError, match="use rediss://"):
        load_settings(
            {
                "MASKWATCH_REDIS_URL": "redis://host/0",
                "MASKWATCH_REDIS_CA_FILE": str(authority.file),
            }
        ).require_redis_url()


def test_an_error_tells_no_password(tmp_path: Path) -> None:
    url = "rediss://worker:s3cret@localhost:1/0"
    with pytest.raises(RedisError) as caught:
        connect(url).ping()
    assert "s3cret" not in str(explain(caught.value, connect(url))) + str(caught.value)
