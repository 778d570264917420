"""One file brings everything back: nothing lost, nothing counted twice."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from redis import Redis

from bus.keys import CameraKeys
from bus.stores.alert_channels import ChannelStore
from bus.stores.alert_rules import AlertRuleStore
from bus.stores.history import HistoryStore
from bus.stores.outcomes import OutcomeStore
from contract.alerts.channels import make_channel
from contract.alerts.rules import make_rule
from contract.cameras.camera import Camera
from contract.errors import NotNewerError
from contract.people.minutes import MinuteIncrements, minute_of
from contract.people.outcomes import Outcome
from contract.people.people import Person
from contract.people.totals import Increments, people_field
from maskwatch.cli import main
from tests.accounts import PASSWORD, accounts_of, make_user
from tests.builders import add_camera, take_lease, totals_of
from tests.secret_key import cameras_of, key_file, other_vault, vault

Run = Callable[..., Result]
SOURCE = "rtsp://user:s3cret@10.0.0.9/live"


@pytest.fixture
def run(redis_url: str) -> Run:
    def call(*arguments: str, key: Path | None = None) -> Result:
        environment = {
            "MASKWATCH_REDIS_URL": redis_url,
            "MASKWATCH_SECRET_KEY_FILE": str(key or key_file()),
        }
        return CliRunner().invoke(main, arguments, env=environment)

    return call


def person(track_id: int) -> Person:
    now_s = time.time()
    return Person(track_id, now_s - 5, now_s, 9, 40.0, "mask", 0.9, 3.0)


def count(redis: Redis, camera: Camera, sequence: int, people: int = 3) -> OutcomeStore:
    """Commit a frame with which some people were counted."""
    store = OutcomeStore(redis)
    store.resume(camera.id)
    increments, minutes = Increments(), MinuteIncrements()
    increments.add(people_field("mask"), people)
    minutes.add(time.time(), "frames")
    store.commit(
        take_or_keep(redis, camera),
        Outcome(
            sequence,
            1,
            increments,
            "",
            people=tuple(person(one) for one in range(people)),
            minutes=minutes,
        ),
    )
    return store


def take_or_keep(redis: Redis, camera: Camera):
    redis.delete(CameraKeys(camera.id).worker_lease)
    return take_lease(redis, camera.id, "worker")


def fill(redis: Redis) -> Camera:
    """A camera with counts in open minutes and in a packed day, an account, a rule, a channel."""
    camera = add_camera(redis, "Gate", source=SOURCE)
    count(redis, camera, 1)
    HistoryStore(redis).pack_if_grown(take_or_keep(redis, camera), above_fields=0)
    count(redis, camera, 2)
    make_user(redis)
    channel = make_channel(kind="webhook", name="Desk", url="https://10.0.0.8/hook")
    ChannelStore(redis, vault()).add(channel)
    condition = {"kind": "offline", "for_s": 60}
    AlertRuleStore(redis).add(make_rule(name="Away", when=condition, channels=(channel.id,)))
    return camera


def people_in_minutes(redis: Redis, camera: Camera) -> int:
    today = minute_of(time.time()) // 1440
    days = HistoryStore(redis).days([camera.id], today - 1, today)
    return sum(int(columns[people_field("mask")].sum()) for _, _, columns in days)


def rows(redis: Redis, camera: Camera) -> int:
    return int(redis.xlen(CameraKeys(camera.id).people))


def seen(redis: Redis, camera: Camera) -> tuple[float, int, int]:
    return (
        totals_of(redis, camera.id)["people:mask"],
        people_in_minutes(redis, camera),
        rows(redis, camera),
    )


def test_an_empty_system_gets_everything_back(run: Run, redis: Redis, tmp_path: Path) -> None:
    camera, file = fill(redis), tmp_path / "all.backup"
    saved = run("backup", str(file))
    assert saved.exit_code == 0, saved.output
    assert "1 cameras with their counts, 1 accounts" in saved.output
    assert file.stat().st_mode & 0o077 == 0
    redis.flushall()
    restored = run("restore", str(file))
    assert restored.exit_code == 0, restored.output
    assert cameras_of(redis).get(camera.id).source == SOURCE
    assert accounts_of(redis).check_password("Ada", PASSWORD, "") is not None
    [rule] = AlertRuleStore(redis).all()
    [channel] = ChannelStore(redis, vault()).all()
    assert rule.channels == (channel.id,)
    assert seen(redis, camera) == (6.0, 6, 6)


def test_restoring_again_and_over_newer_counts_counts_nobody_twice(
    run: Run, redis: Redis, tmp_path: Path
) -> None:
    camera, file = fill(redis), tmp_path / "all.backup"
    run("backup", str(file))
    count(redis, camera, 3)
    for _ in range(2):
        kept = run("restore", str(file))
        assert "kept" in kept.output
        assert seen(redis, camera) == (9.0, 9, 9)
    for _ in range(2):
        assert "replaced" in run("restore", str(file), "--replace").output
        assert seen(redis, camera) == (6.0, 6, 6)
    count(redis, camera, 3)
    assert seen(redis, camera) == (9.0, 9, 9)


def test_a_worker_that_went_on_meanwhile_starts_from_what_was_restored(
    run: Run, redis: Redis, tmp_path: Path
) -> None:
    camera, file = fill(redis), tmp_path / "all.backup"
    run("backup", str(file))
    lease, store = take_or_keep(redis, camera), OutcomeStore(redis)
    store.resume(camera.id)
    run("restore", str(file), "--replace")
    with pytest.raises(NotNewerError):
        store.commit(lease, Outcome(3, 1, Increments(), ""))
    assert store.resume(camera.id).sequence == 2
    store.commit(lease, Outcome(3, 1, Increments(), ""))


def test_a_dry_run_changes_nothing(run: Run, redis: Redis, tmp_path: Path) -> None:
    fill(redis)
    file = tmp_path / "all.backup"
    run("backup", str(file))
    redis.flushall()
    said = run("restore", str(file), "--dry-run").output
    assert "would restore: 4 new" in said
    assert redis.dbsize() == 0


def test_what_another_has_the_name_of_is_left_out_and_said(
    run: Run, redis: Redis, tmp_path: Path
) -> None:
    fill(redis)
    file = tmp_path / "all.backup"
    run("backup", str(file))
    redis.flushall()
    other = add_camera(redis, "gate")
    said = run("restore", str(file), "--replace").output
    assert "cameras: Gate: name taken" in said
    assert [one.id for one in cameras_of(redis).all()] == [other.id]


def test_no_secret_is_readable_in_the_file_and_another_key_is_said(
    run: Run, redis: Redis, tmp_path: Path
) -> None:
    fill(redis)
    file = tmp_path / "all.backup"
    run("backup", str(file))
    content = gzip.decompress(file.read_bytes())
    assert b"s3cret" not in content
    assert b"10.0.0.8" not in content
    redis.flushall()
    other = tmp_path / "other.key"
    other.write_bytes(other_vault()._path.read_bytes())
    said = run("restore", str(file), key=other)
    assert said.exit_code == 0
    assert "cannot decrypt the secrets of 2 cameras and channels" in said.output


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not a backup"),
        (b"not gzip", "is not a backup"),
        (gzip.compress(b"[1"), "is not a backup"),
        (gzip.compress(b'{"format":1}'), "is not a backup"),
        (gzip.compress(json.dumps({"format": 99, "made_by": "9.0"}).encode()), "9.0 in format 99"),
    ],
    ids=["empty", "not packed", "cut off", "half empty", "newer"],  # what is packed holds the time
)
def test_what_is_no_backup_or_a_newer_one_is_refused_with_words(
    run: Run, redis: Redis, tmp_path: Path, content: bytes, words: str
) -> None:
    file = tmp_path / "odd.backup"
    file.write_bytes(content)
    refused = run("restore", str(file))
    assert refused.exit_code == 2
    assert words in refused.output
    assert redis.dbsize() == 0
