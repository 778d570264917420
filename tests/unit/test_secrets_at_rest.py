"""Camera passwords in Redis: encrypted, opened by who has the key, and never lost."""

from __future__ import annotations

import contextlib
import json
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner
from redis import Redis

from bus import keys
from bus.bus import Bus
from bus.connection.client import connect
from bus.server.embedded import EmbeddedRedis
from bus.stores.cameras import CameraRegistry, CameraRoster
from contract.cameras.camera import Camera, make_camera
from contract.errors import SecretKeyError
from maskwatch.cli import main
from maskwatch.run import _prepare, secrets_in_clear
from runtime.vault import Vault, add_newer_key, create_key_file, drop_older_keys, load_vault
from tests.builders import everything_in
from tests.servers.ingest_process import eventually

PASSWORD = "p@ss:w/rd?#1%"  # noqa: S105 - a made-up one, looked for in what must not hold it
SOURCE = f"rtsp://adm@in:{PASSWORD}@10.0.0.9/live"
SHOWN = "rtsp://***@10.0.0.9/live"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    create_key_file(tmp_path / "secret.key")
    return tmp_path / "secret.key"


@pytest.fixture
def vault(key_file: Path) -> Vault:
    return load_vault(key_file)


def stored(redis: Redis, camera: Camera) -> bytes:
    record = redis.hget(keys.CAMERAS, camera.id)
    assert isinstance(record, bytes)
    return record


def leave_in_clear(redis: Redis, name: str = "old") -> Camera:
    """A record as earlier versions wrote it."""
    camera = make_camera(name=name, source=SOURCE)
    redis.hset(keys.CAMERAS, camera.id, camera.model_dump_json(exclude={"sealed_source"}))
    assert PASSWORD.encode() in stored(redis, camera)
    return camera


def test_a_password_is_encrypted_in_redis_and_whole_for_who_has_the_key(
    redis: Redis, vault: Vault
) -> None:
    registry = CameraRegistry(redis, vault)
    camera = registry.add(make_camera(name="Gate", source=SOURCE))
    for secret in (PASSWORD, "adm@in"):
        assert secret.encode() not in everything_in(redis)
    assert registry.get(camera.id).source == SOURCE
    assert registry.all()[0].source == SOURCE
    assert registry.update(camera.id, name="Gate 2").source == SOURCE
    assert PASSWORD not in repr(registry.get(camera.id).public())


def test_a_worker_needs_no_key_and_sees_no_password(redis: Redis, vault: Vault) -> None:
    CameraRegistry(redis, vault).add(make_camera(name="Gate", source=SOURCE, analysis_fps=4))
    [camera] = CameraRoster(redis).cameras()
    assert (camera.source, camera.analysis_fps, camera.locked) == (SHOWN, 4, True)


@pytest.mark.parametrize("source", [SOURCE, "rtsp://10.0.0.9/live"])
def test_no_network_address_is_kept_without_a_key(redis: Redis, source: str) -> None:
    registry = CameraRegistry(redis)
    camera = registry.add(make_camera(name="Gate", source="demo:"))
    with pytest.raises(SecretKeyError, match="MASKWATCH_SECRET_KEY_FILE"):
        registry.add(make_camera(name="Gate 2", source=source))
    with pytest.raises(SecretKeyError):
        registry.update(camera.id, source=source)
    assert [(found.name, found.source) for found in registry.all()] == [("Gate", "demo:")]


PATH_SECRETS = {
    "rtsp://10.0.0.9/user=admin_password=Xq7_channel=1": "rtsp://10.0.0.9/***",
    "http://10.0.0.9:8080/video?pw=Xq7": "http://10.0.0.9:8080/video?pw=***",
    "rtsp://10.0.0.9:7447/hXq7pLm2vT9k": "rtsp://10.0.0.9:7447/***",
}


@pytest.mark.parametrize(("source", "shown"), PATH_SECRETS.items())
def test_a_secret_in_a_path_or_a_query_is_encrypted_wherever_the_address_is_from(
    redis: Redis, vault: Vault, source: str, shown: str
) -> None:
    """New; in clear; and with only user and password hidden, as versions before wrote it."""
    registry = CameraRegistry(redis, vault)
    cameras = [registry.add(make_camera(name="new", source=source))]
    for name, more in {"clear": {}, "half hidden": {"sealed_source": vault.seal(source)}}.items():
        camera = make_camera(name=name, source=source)
        record = camera.model_dump(mode="json") | more
        redis.hset(keys.CAMERAS, camera.id, json.dumps(record))
        cameras.append(camera)
    assert secrets_in_clear(CameraRegistry(redis).all())
    assert {camera.redacted_source for camera in CameraRegistry(redis).all()} == {shown}
    assert registry.seal_all() == 3
    assert not secrets_in_clear(CameraRegistry(redis).all())
    assert b"Xq7" not in everything_in(redis)
    for camera in cameras:
        kept = registry.get(camera.id)
        assert (kept.source, kept.redacted_source, kept.locked) == (source, shown, False)
        assert CameraRegistry(redis).get(camera.id).locked
        assert registry.update(camera.id, enabled=False).source == source


@pytest.mark.parametrize("whose", ["another key", "no key"])
def test_a_wrong_or_missing_key_is_named_and_loses_nothing(
    redis: Redis, vault: Vault, tmp_path: Path, whose: str, caplog: pytest.LogCaptureFixture
) -> None:
    camera = CameraRegistry(redis, vault).add(make_camera(name="Gate", source=SOURCE))
    elsewhere = tmp_path / "elsewhere.key"
    if whose == "another key":
        create_key_file(elsewhere)
    wrong = CameraRegistry(redis, Vault(elsewhere))
    found = wrong.get(camera.id)
    assert (found.source, found.locked) == (SHOWN, True)
    assert str(elsewhere) in caplog.text
    renamed = wrong.update(camera.id, name="Gate 2", source=found.source)
    assert renamed.locked
    assert wrong.seal_all() == 0
    assert CameraRegistry(redis, vault).get(camera.id).source == SOURCE


def test_an_address_typed_anew_replaces_one_that_nobody_can_open(
    redis: Redis, vault: Vault, tmp_path: Path
) -> None:
    camera = CameraRegistry(redis, vault).add(make_camera(name="Gate", source=SOURCE))
    create_key_file(tmp_path / "new.key")
    new = CameraRegistry(redis, load_vault(tmp_path / "new.key"))
    new.update(camera.id, source="rtsp://admin:another@10.0.0.9/live")
    assert new.get(camera.id).source == "rtsp://admin:another@10.0.0.9/live"
    new.update(camera.id, source="demo:")
    assert b"sealed" not in stored(redis, camera)


def test_records_in_clear_still_work_and_are_encrypted_when_written_or_asked_to(
    redis: Redis, vault: Vault
) -> None:
    first, second = leave_in_clear(redis, "first"), leave_in_clear(redis, "second")
    registry = CameraRegistry(redis, vault)
    assert registry.get(first.id).source == SOURCE
    registry.update(first.id, enabled=False)
    assert PASSWORD.encode() not in stored(redis, first)
    assert registry.seal_all() == 2
    assert PASSWORD.encode() not in everything_in(redis)
    assert {camera.source for camera in registry.all()} == {SOURCE}
    assert second.id in {camera.id for camera in registry.all()}


def test_what_an_earlier_version_wrote_in_clear_leaves_the_file_too(
    tmp_path: Path, vault: Vault
) -> None:
    server = EmbeddedRedis(tmp_path / "redis")
    server.start()
    try:
        client = connect(server.url)
        leave_in_clear(client)
        secret = PASSWORD.encode()
        assert eventually(lambda: secret in files_of(tmp_path / "redis"))
        assert _prepare(Bus(client, vault), {}, threading.Event(), ours=True)
        assert eventually(lambda: secret not in files_of(tmp_path / "redis"))
        assert [camera.source for camera in CameraRegistry(client, vault).all()] == [SOURCE]
        client.close()
    finally:
        server.stop()


def files_of(folder: Path) -> bytes:
    found = []
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # a folder, a socket, a file that was replaced just now
            found.append(path.read_bytes())
    return b"".join(found)


def test_a_key_is_changed_under_running_processes(
    redis: Redis, vault: Vault, key_file: Path
) -> None:
    running = CameraRegistry(redis, vault)
    camera = running.add(make_camera(name="Gate", source=SOURCE))
    add_newer_key(key_file)
    assert running.get(camera.id).source == SOURCE
    assert CameraRegistry(redis, load_vault(key_file)).seal_all() == 1
    assert drop_older_keys(key_file) == 1
    assert running.get(camera.id).source == SOURCE
    assert running.update(camera.id, name="Gate 2").source == SOURCE
    assert key_file.stat().st_mode & 0o777 == 0o600


def test_the_command_changes_the_key(redis: Redis, redis_url: str, key_file: Path) -> None:
    camera = CameraRegistry(redis, Vault(key_file)).add(make_camera(name="Gate", source=SOURCE))
    environment = {
        "MASKWATCH_REDIS_URL": redis_url,
        "MASKWATCH_SECRET_KEY_FILE": str(key_file),
    }
    before = key_file.read_bytes()
    for more in ([], ["--drop-older"]):
        done = CliRunner().invoke(main, ["secret-key", "rotate", *more], env=environment)
        assert done.exit_code == 0, done.output
    assert before not in key_file.read_bytes()
    assert CameraRegistry(redis, Vault(key_file)).get(camera.id).source == SOURCE


@pytest.mark.parametrize("text", ["", "short", "x" * 44 + "\nnot a key"])
def test_a_file_that_is_no_key_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.key").write_text(text)
    with pytest.raises(SecretKeyError, match=r"bad\.key is not a key file"):
        load_vault(tmp_path / "bad.key")
    with pytest.raises(SecretKeyError, match="secret-key create"):
        load_vault(tmp_path / "none.key")


def test_a_key_file_is_its_owners_alone_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "state" / "secret.key"
    assert create_key_file(path)
    first = path.read_bytes()
    assert not create_key_file(path)
    assert path.read_bytes() == first
    assert path.stat().st_mode & 0o777 == 0o600


def test_sealing_anew_is_a_change_like_any_other(redis: Redis, vault: Vault) -> None:
    registry = CameraRegistry(redis, vault)
    registry.add(make_camera(name="Gate", source="rtsp://u:p@host/1"))
    before = registry.revision()
    registry.seal_all()
    assert registry.revision() > before
