"""Where keys lie in a cluster, and what an address of one says."""

from __future__ import annotations

import pytest
from redis import Redis
from redis.crc import REDIS_CLUSTER_HASH_SLOTS

from bus import keys
from bus.cluster import places as cluster_places
from bus.cluster.places import (
    CAMERA_TAGS,
    GROUPS,
    HOME,
    as_sent,
    place,
    slot_of,
    tag_of,
    tagged,
    tagged_pattern,
    untagged,
)
from bus.connection.client import connect, server_name
from bus.keys import AlertKeys, CameraKeys, UploadKeys
from bus.stores.people import CountedPerson, RowId
from contract.cameras.camera import make_camera
from contract.errors import SettingsError
from contract.people.people import Person
from dashboard.live.people_feed import ArrivalOrder
from runtime.redis_address.cluster import parse_cluster
from runtime.settings import load_settings


def test_all_keys_of_a_camera_have_one_tag_and_what_is_shared_another() -> None:
    names = CameraKeys("381924d1287b")
    of_camera = {
        tag_of(name.encode()) for name in (*names.all(), names.day(20000), names.sums(625))
    }
    assert len(of_camera) == 1
    assert of_camera <= set(CAMERA_TAGS)
    shared = [keys.CAMERAS, keys.WIRE, AlertKeys.OPEN, keys.members("worker"), "rq:job:1"]
    assert {tag_of(name.encode()) for name in (*shared, UploadKeys("1").record)} == {HOME}
    for name in (names.view, keys.CAMERAS):
        assert untagged(tagged(name.encode())) == name.encode()


@pytest.mark.parametrize("primaries", [1, 2, 3, 4, 6, 8, 12])
def test_servers_that_divide_the_slots_evenly_have_as_many_groups_each(primaries: int) -> None:
    share = REDIS_CLUSTER_HASH_SLOTS / primaries
    served = [sum(n * share <= slot_of(tag) < (n + 1) * share for tag in CAMERA_TAGS)
              for n in range(primaries)]  # fmt: skip
    assert served == [GROUPS // primaries] * primaries


def test_the_tags_are_what_they_were_as_data_lie_under_them() -> None:
    assert HOME == b"{maskwatch}"
    numbers = [8, 0, 102, 51, 42, 60, 9, 1, 103, 50, 43, 61, 22, 2, 100, 53, 40, 62, 23, 3, 101, 52]
    assert [b"{maskwatch:%d}" % number for number in (*numbers, 41, 63)] == list(CAMERA_TAGS)
    assert tag_of(CameraKeys("381924d1287b").view.encode()) == b"{maskwatch:43}"


def test_many_cameras_spread_over_the_groups() -> None:
    tags = [tag_of(CameraKeys(make_camera(name="Gate", source="demo:").id).view.encode())
            for _ in range(2400)]  # fmt: skip
    assert all(50 <= tags.count(tag) <= 160 for tag in CAMERA_TAGS), "100 each on average"


COMMANDS = [
    ("GET", "a"),
    ("SET", "a", 1, "PX", 5),
    ("HSET", "a", "b", "c"),
    ("DEL", "a", "b", "c"),
    ("MGET", "a", "b"),
    ("WATCH", "a"),
    ("EVALSHA", "0" * 40, 2, "a", "b", "c"),
    ("EVAL", "return 1", 1, "a", "b"),
    ("XREAD", "COUNT", 8, "BLOCK", 50, "STREAMS", "a", "b", "0", "0"),
    ("XADD", "a", "MAXLEN", 1, "*", "b", "c"),
    ("BLMOVE", "a", "b", "LEFT", "RIGHT", 1),
    ("LMOVE", "a", "b", "LEFT", "RIGHT"),
    ("BLPOP", "a", "b", 1),
    ("ZRANGEBYSCORE", "a", 0, 1),
    ("SUNION", "a", "b"),
    ("RENAME", "a", "b"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_the_server_finds_the_keys_of_a_command_where_we_do(
    redis: Redis, command: tuple[str | int, ...]
) -> None:
    found = redis.execute_command("COMMAND GETKEYS", *command)
    ours = [sent for sent in as_sent(command) if isinstance(sent, bytes)]
    assert ours == [tagged(name) for name in map(cluster_places.encoded, found)]


def test_every_command_known_to_have_one_key_first_has_it_there(redis: Redis) -> None:
    known = redis.command()
    there = cluster_places._FIRST & {name.upper() for name in known}
    assert len(there) > 80
    for name in there:
        entry = known[name.lower()]
        assert (entry["first_key_pos"], entry["last_key_pos"]) == (1, 1), name


def test_a_command_without_keys_is_of_what_is_shared_and_an_unknown_one_is_refused() -> None:
    assert place(("TIME",)) == place(("CLIENT ID",)) == place(("EVALSHA", "0", 0, "a")) == HOME
    assert as_sent(("SCAN", "0", "MATCH", "rq:*")) == ["SCAN", "0", "MATCH", b"{maskwatch}rq:*"]
    with pytest.raises(ValueError, match="the positions of the keys of SORT are not known"):
        place(("SORT", "a"))
    with pytest.raises(ValueError, match="names keys of several slots"):
        place(("DEL", CameraKeys("a").view, keys.CAMERAS))


def test_patterns_of_users_match_the_keys_as_a_cluster_has_them() -> None:
    assert tagged_pattern(keys.CAMERAS) == "{maskwatch}maskwatch:cameras"
    pattern = tagged_pattern(CameraKeys("*").view)
    assert pattern == "{maskwatch:*}maskwatch:{cam:*}:view"


def test_an_address_of_a_cluster_says_whom_to_ask_and_as_whom() -> None:
    found = parse_cluster("rediss+cluster://ada:p%40ss@a:7000,[::1]:7001,c/?ssl_ca_certs=/ca")
    assert found.servers == (("a", 7000), ("::1", 7001), ("c", 6379))
    assert found.login == {"username": "ada", "password": "p@ss"}
    assert found.tls == {"ssl_cert_reqs": "required", "ssl_ca_certs": "/ca"}
    assert parse_cluster("redis+cluster://a").tls == {}


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis+cluster://ada:s3cret@", "host:port"),
        ("redis+cluster://ada:s3cret@a:7000,/", "host:port"),
        ("redis+cluster://ada:s3cret@a:x/", "host:port"),
        ("redis+cluster://ada:s3cret@a:7000/2", "a cluster has no databases"),
        ("redis+cluster://ada:s3cret@a/?nonsense=1", "begin with ssl_ only"),
        (
            "redis+cluster://ada:s3cret@a/?ssl_ca_certs=/ca",
            "begin with ssl_ only",
        ),
        ("rediss+cluster://ada:s3cret@a/?ssl_cert_reqs=none", "protects against nobody"),
    ],
)
def test_an_address_that_cannot_be_used_says_why_and_no_password(url: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words) as caught:
        load_settings({"MASKWATCH_REDIS_URL": url})
    assert "s3cret" not in str(caught.value)


def test_the_name_of_a_cluster_has_no_password() -> None:
    redis = connect("redis+cluster://ada:s3cret@a:7000,b:7001/")
    assert server_name(redis) == "a:7000, b:7001 (a cluster)"
    assert "s3cret" not in repr(redis) + repr(redis.connection_pool)


def row(at_ms: int, camera_id: str) -> CountedPerson:
    camera = make_camera(name="Gate", source="demo:")
    person = Person(1, 0.0, 1.0, 9, 40.0, "mask", 0.9, 1.0)
    return CountedPerson(RowId(at_ms, 0, camera_id), camera, person)


def test_rows_of_several_servers_come_in_the_order_of_their_ids_however_late_one_is() -> None:
    now_s = 100.0
    order = ArrivalOrder(1.0, lambda: now_s)
    first, late, last = row(1000, "a"), row(995, "b"), row(1500, "a")
    assert order.settled([first]) == []
    now_s = 100.5
    assert order.settled([late, last]) == []
    now_s = 101.1
    assert order.settled([]) == [late, first]
    now_s = 101.6
    assert order.settled([]) == [last]
    assert ArrivalOrder(0.0).settled([first, late]) == [late, first]
