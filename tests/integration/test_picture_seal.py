"""Pictures in Redis: nobody can look at them in what it writes, and whoever may can open them."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from benchmarks.secrecy.redis_files import pictures_written
from bus import picture_seal
from bus.connection.client import connect
from bus.picture_seal import PictureSeal
from bus.stores.outcomes import OutcomeStore
from bus.stores.pictures import PictureStore
from contract.errors import LeaseLostError, MessageError, NotNewerError
from contract.people.outcomes import Outcome
from contract.people.totals import Increments
from tests.builders import Source, add_camera, jpeg, take_lease, totals_of
from tests.servers.redis_server import binary, redis_server

RESULT = "rq.job.Job._execute"


@dataclass(frozen=True)
class Written:
    """A Redis, and the folder that it writes into."""

    redis: Redis
    folder: Path
    version: str

    def pictures(self) -> dict[str, int]:
        return pictures_written(self.folder, binary(self.version))

    def files(self) -> bytes:
        """Everything in its files, once it has written all it can."""
        client: Any = self.redis
        for write in (client.bgsave, client.bgrewriteaof):
            write()
            while any(client.info("persistence")[name] for name in WRITING):
                time.sleep(0.01)
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        return b"".join(path.read_bytes() for path in files)


WRITING = ("rdb_bgsave_in_progress", "aof_rewrite_in_progress", "aof_rewrite_scheduled")


@pytest.fixture(params=["6.2", "7"])
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Written]:
    options = ("--appendonly", "yes", "--appendfsync", "always")
    with redis_server(tmp_path, request.param, *options) as server:
        client = connect(server.url, "tests")
        yield Written(client, tmp_path, request.param)
        client.close()


def test_what_one_process_seals_another_opens_and_no_file_has_the_picture_or_the_key(
    written: Written,
) -> None:
    seal, picture = PictureSeal(written.redis), jpeg()
    sealed = seal.seal(picture)
    written.redis.set("picture", sealed)
    assert PictureSeal(written.redis).open(sealed) == picture
    key = written.redis.evalsha(sealed[1:21].hex(), 0)
    assert isinstance(key, bytes)
    grown = b"".join(path.read_bytes() for path in written.folder.rglob("*.aof"))
    for files in (grown, written.files()):
        assert b"picture" in files, "the right files"
        assert sealed[1:21] in files, "they hold the sealed picture"
        assert picture[:200] not in files
        assert key not in files
        assert bytes.fromhex(key.decode()) not in files


def test_frames_in_a_snapshot_cannot_be_looked_at(written: Written) -> None:
    Source(written.redis, add_camera(written.redis)).publish()
    written.files()
    found = written.pictures()
    assert {"snapshot, loaded", "append-only file, loaded"} <= found.keys()
    assert set(found.values()) == {0}


def test_no_picture_enters_the_append_only_file_as_it_is_written_not_even_a_refused_one(
    written: Written,
) -> None:
    """Nor in its sealed form: the calls of scripts that carry pictures are not written either."""
    redis, camera = written.redis, add_camera(written.redis)
    Source(redis, camera).publish()
    lease = take_lease(redis, camera.id, "worker")
    outcomes = OutcomeStore(redis)
    step = Outcome(1, 1, Increments(), "{}", annotated_jpeg=jpeg())
    outcomes.commit(lease, step)
    PictureStore(redis).put("pictures", {"given": jpeg()}, 60)
    with pytest.raises(NotNewerError):
        outcomes.commit(lease, step)
    with pytest.raises(LeaseLostError):
        outcomes.commit(replace(lease, token=lease.token + 1), step)
    refused = totals_of(redis, camera.id)
    assert (refused["refused:not_newer"], refused["refused:lease_lost"]) == (1, 1)
    sealing_key = PictureSeal(redis).seal(b"")[1:21]
    grown = b"".join(path.read_bytes() for path in written.folder.rglob("*.aof"))
    assert b"refused:lease_lost" in grown, "the right files"
    assert sealing_key not in grown


def test_the_leaks_there_were_are_found(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    """A probe's result as RQ packs it, and pictures that are not sealed."""
    snapshot = {"snapshot_jpeg_base64": base64.b64encode(jpeg()).decode()}
    queue = Queue("probes", connection=written.redis, serializer=JSONSerializer)
    queue.enqueue("base64.b64encode", "")
    monkeypatch.setattr(RESULT, lambda _: snapshot)
    SimpleWorker([queue], connection=written.redis, serializer=JSONSerializer).work(burst=True)
    found = written.pictures()
    assert sum(count for place, count in found.items() if "commands" in place) == 1
    monkeypatch.setattr(PictureSeal, "seal", lambda _, picture: picture)
    PictureStore(written.redis).put("pictures", {"given": jpeg()}, 60)
    written.files()
    found = written.pictures()
    assert (found["snapshot, loaded"], found["append-only file, loaded"]) == (2, 2)


def test_a_redis_that_forgot_the_key_is_told_it_again(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal = PictureSeal(redis)
    before = seal.seal(b"picture")
    redis.script_flush()
    with pytest.raises(MessageError, match="forgotten"):
        PictureSeal(redis).open(before)
    monkeypatch.setattr(picture_seal, "TELL_EVERY_S", 0.0)
    assert PictureSeal(redis).open(seal.seal(b"picture")) == b"picture"


def test_a_key_is_used_for_a_day(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    seal = PictureSeal(redis)
    first, second = seal.seal(b"picture"), seal.seal(b"picture")
    assert first != second, "each with a nonce of its own"
    assert first[1:21] == second[1:21]
    monkeypatch.setattr(picture_seal, "KEY_USED_S", 0.0)
    third = seal.seal(b"picture")
    assert third[1:21] != first[1:21]
    reader = PictureSeal(redis)
    assert {reader.open(sealed) for sealed in (first, second, third)} == {b"picture"}


def test_what_is_not_sealed_or_damaged_is_refused(redis: Redis) -> None:
    seal = PictureSeal(redis)
    sealed = seal.seal(b"picture")
    other = redis.script_load("return redis.call('SET', KEYS[1], ARGV[1])")
    named = sealed[:1] + bytes.fromhex(str(other)) + sealed[21:]
    for broken in (b"", jpeg(), sealed[:20], sealed[:-1], sealed + b"x", named):
        with pytest.raises(MessageError):
            seal.open(broken)


def test_pictures_that_cannot_be_opened_any_more_are_gone(redis: Redis) -> None:
    PictureStore(redis).put("pictures", {"one": b"1", "two": b"2"}, 60)
    assert PictureStore(redis).all("pictures") == {"one": b"1", "two": b"2"}
    redis.script_flush()
    assert PictureStore(redis).all("pictures") == {}
    assert PictureStore(redis).get("pictures", "one") is None
