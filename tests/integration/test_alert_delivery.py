"""Messages on their way to real servers that are well, refuse, hang, redirect, or are not there."""

from __future__ import annotations

import json
import ssl
import time
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from rq import SimpleWorker
from rq.serializers import JSONSerializer
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from alerts import addresses, smtp, webhook
from alerts.delivery import Postman, make_postman
from alerts.webhook import sign
from bus.bus import Bus
from bus.keys import ALERTS_QUEUE, AlertKeys
from bus.stores.alert_deliveries import LOST_AFTER_S, RETRY_AFTER_S, DeliveryStore
from contract.alerts.alerts import Alert, Delivery, deliveries_of
from contract.alerts.channels import EmailChannel, WebhookChannel, make_channel, public
from contract.errors import AlertError, ChannelError
from runtime.vault import Vault
from tests.alerts import PASSWORD, add_email, add_rule, add_webhook, alerts_process, channels_of
from tests.builders import add_camera, everything_in
from tests.integration.test_dashboard_hub import FakeCamera
from tests.secret_key import other_vault, vault
from tests.servers.http import closed_port
from tests.servers.ingest_process import eventually
from tests.servers.mail import mail_server, make_certificate
from tests.servers.receiver import Receiver, receiver


def alert(*channels: str, **more: Any) -> Alert:
    fields = {
        "id": "a1b2",
        "rule_id": "r1",
        "rule": "Gates, by day",
        "kind": "rate",
        "camera_id": "c1",
        "camera": "Gate B12 \N{LATIN SMALL LETTER U WITH DIAERESIS}",
        "group": "Terminal 2",
        "opened_at_s": 1_790_000_000.0,
        "words": "50.0 % of 20 people judged wore a mask.",
        "channels": channels,
    }
    return Alert(**{**fields, **more})


def put(redis: Redis, *deliveries: Delivery) -> None:
    for one in deliveries:
        redis.hset(AlertKeys.OUTBOX, one.id, one.model_dump_json())


def post_one(redis: Redis, *deliveries: Delivery) -> str:
    """Put a message into the outbox and try it once; return what the log says."""
    put(redis, *deliveries)
    with suppress(ChannelError):
        postman(redis).attempt(deliveries[0].id)
    return DeliveryStore(redis).log(1)[0][1].words


def postman(redis: Redis, key: Vault | None = None) -> Postman:
    bus = Bus(redis, key or vault())
    return make_postman(bus)


def opened(*channels: str) -> Delivery:
    return deliveries_of(alert(*channels), "opened", time.time())[0]


# --- webhooks


def test_a_receiver_gets_signed_json_that_the_standards_own_library_accepts(redis: Redis) -> None:
    with receiver() as server:
        channel = add_webhook(redis, f"{server.url}/hook?room=1")
        words = post_one(redis, opened(channel.id))
    [got] = server.got
    assert words == "Accepted: the receiver answered 200."
    assert got.path == "/hook?room=1"
    verified = Webhook(channel.secret).verify(got.body, got.headers)
    assert verified["type"] == "alert.opened"
    data = verified["data"]
    assert data["camera"] == {"id": "c1", "name": "Gate B12 ü", "group": "Terminal 2"}
    assert (data["kind"], data["opened_at"]) == ("rate", "2026-09-21T14:13:20Z")
    with pytest.raises(WebhookVerificationError):
        Webhook(channel.secret).verify(got.body + b" ", got.headers)
    forged = {**got.headers, "webhook-timestamp": str(int(got.headers["webhook-timestamp"]) - 1)}
    with pytest.raises(WebhookVerificationError):
        Webhook(channel.secret).verify(got.body, forged)


def test_the_signature_is_that_of_the_published_example() -> None:
    secret = "whsec_plJ3nmyCDGBKInavdOK15jsl"  # noqa: S105 - Svix' documentation has it
    body, at_s = b'{"event_type":"ping","data":{"success":true}}', 1_731_705_121
    expected = "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="
    assert sign(secret, "msg_loFOjxBNrRLzqYUf", body, at_s) == expected


@pytest.mark.parametrize(
    ("status", "words"),
    [(500, "answered 500"), (404, "answered 404"), (302, "does not follow redirects")],
)
def test_a_receiver_that_refuses_is_tried_again_and_never_elsewhere(
    redis: Redis, status: int, words: str
) -> None:
    with receiver(status) as server:
        channel = add_webhook(redis, f"{server.url}/hook")
        assert words in post_one(redis, opened(channel.id))
    assert [got.path for got in server.got] == ["/hook"]
    [(_, attempt)] = DeliveryStore(redis).log(5)
    assert (attempt.outcome, attempt.attempt) == ("failed", 1)
    [waiting] = DeliveryStore(redis).waiting().values()
    assert waiting.attempts == 1


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://169.254.169.254/latest/meta-data/", "may not call"),
        ("http://[fd00:ec2::254]/", "may not call"),
        ("http://[::ffff:169.254.169.254]/", "may not call"),
        ("http://[64:ff9b::a9fe:a9fe]/", "may not call"),
        ("http://0.0.0.0/", "may not call"),
        ("http://169.254.10.1/", "may not call"),
        ("http://[fe80::1]/", "may not call"),
        ("http://100.100.100.200/", "may not call"),
        ("http://224.0.0.1/", "may not call"),
        ("http://no-such-host.invalid/", "the host name no-such-host.invalid is unknown"),
    ],
)
def test_addresses_that_hand_out_credentials_are_not_called(
    redis: Redis, url: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[object] = []
    monkeypatch.setattr("socket.create_connection", lambda *a: called.append(a) or 1 / 0)
    channel = add_webhook(redis, url)
    assert words in post_one(redis, opened(channel.id))
    assert called == []


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("::ffff:10.0.0.9", True),
        ("::ffff:169.254.10.1", False),
        ("2002:a9fe:a9fe::1", False),
        ("2002:0a00:0009::1", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("240.0.0.1", False),
    ],
)
def test_an_address_within_an_address_is_judged_as_itself(address: str, allowed: bool) -> None:
    assert addresses.may_be_called(ip_address(address)) is allowed


def test_a_name_that_means_a_refused_address_is_not_called_and_none_is_looked_up_twice(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up: list[str] = []
    look_up = addresses.socket.getaddrinfo

    def answer(host: str, port: int, *more: Any, **options: Any) -> list[Any]:
        if host != "rebinds.example":  # an address already
            return look_up(host, port, *more, **options)
        looked_up.append(host)
        address = "127.0.0.1" if len(looked_up) == 1 else "169.254.169.254"
        return [(2, 1, 6, "", (address, port))]

    with receiver() as server:
        port = server.url.rpartition(":")[2]
        channel = add_webhook(redis, f"http://rebinds.example:{port}/")
        monkeypatch.setattr(addresses.socket, "getaddrinfo", answer)
        assert "Accepted" in post_one(redis, opened(channel.id))
        assert looked_up == ["rebinds.example"]
        assert "may not call" in post_one(redis, opened(channel.id))
    assert len(server.got) == 1


@pytest.mark.parametrize(
    "url", ["http://10.0.0.9/x", "http://192.168.1.4:8080/", "http://[fd12::1]/"]
)
def test_receivers_on_the_local_network_may_be_called(url: str) -> None:
    made = make_channel(kind="webhook", name="x", url=url)
    assert isinstance(made, WebhookChannel)
    host = url.split("//")[1].split("/")[0].removesuffix(":8080").strip("[]")
    assert len(addresses.allowed_addresses(host, 80)) == 1


def test_a_receiver_that_is_not_there_or_says_nothing_is_named_as_such(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "TIMEOUT_S", 0.3)
    away = add_webhook(redis, f"http://127.0.0.1:{closed_port()}/", "away")
    assert " listens there" in post_one(redis, opened(away.id))
    with receiver(0) as server:
        silent = add_webhook(redis, server.url, "silent")
        assert "no answer within 0.3 s" in post_one(redis, opened(silent.id))


def test_https_is_checked_against_trusted_certificates(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = make_certificate(tmp_path)
    with receiver() as server:
        port = _behind_tls(server, certificate, key)
        channel = add_webhook(redis, f"https://localhost:{port}/")
        assert "certificate is not trusted" in post_one(redis, opened(channel.id))
        assert server.got == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert "Accepted" in post_one(redis, opened(channel.id))
        named = add_webhook(redis, f"https://127.0.0.1:{port}/", "by address")
        assert "certificate is not trusted" in post_one(redis, opened(named.id))


def _behind_tls(server: Receiver, certificate: Path, key: Path) -> int:
    """Have the receiver speak TLS on a further port."""
    import threading
    from http.server import ThreadingHTTPServer

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    tls = ThreadingHTTPServer(("127.0.0.1", 0), server.handler)
    tls.daemon_threads = True
    tls.socket = context.wrap_socket(tls.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=tls.serve_forever, args=(0.05,), daemon=True).start()
    return tls.server_port


# --- e-mail


def test_an_e_mail_says_what_happened_where_and_when(redis: Redis) -> None:
    with mail_server() as server:
        channel = add_email(redis, server.port, to=("duty@example.org", "boss@example.org"))
        closed = alert(channel.id, closed_at_s=1_790_000_600.0, closed_words="90 % again.")
        words = post_one(redis, deliveries_of(closed, "closed", time.time())[0])
    assert words == "Accepted by the mail server for duty@example.org, boss@example.org."
    [message] = server.messages
    assert server.recipients == [["duty@example.org", "boss@example.org"]]
    assert message["Subject"] == "Maskwatch: Resolved: Mask rate low at Gate B12 ü"
    assert message["Message-ID"] == f"<a1b2-closed-{channel.id}@example.org>"
    text = message.get_content()
    for part in ("Resolved: 90 % again.", "Gate B12 ü (Terminal 2)", "Gates, by day"):
        assert part in text
    assert "Opened: 2026-09-21T14:13:20Z" in text


def test_a_password_travels_over_starttls_only_and_is_nowhere_in_clear(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate(tmp_path)
    secure = {"host": "localhost", "security": "starttls", "user": "mw", "password": PASSWORD}
    with mail_server("mw", PASSWORD, certificate) as server:
        channel = add_email(redis, server.port, **secure)
        assert "certificate is not trusted" in post_one(redis, opened(channel.id))
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        assert "Accepted by" in post_one(redis, opened(channel.id))
        channels_of(redis).update(channel, password="another")  # noqa: S106 - a wrong one
        assert "refuses the user or the password" in post_one(redis, opened(channel.id))
    assert len(server.messages) == 1
    assert PASSWORD.encode() not in everything_in(redis)
    assert PASSWORD not in repr(channel) + str(public(channel))


def test_mail_goes_to_a_server_that_speaks_tls_from_the_start(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate(tmp_path)
    with mail_server(certificate=certificate, from_the_start=True) as server:
        channel = add_email(redis, server.port, host="localhost", security="tls")
        assert "certificate is not trusted" in post_one(redis, opened(channel.id))
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        assert "Accepted by" in post_one(redis, opened(channel.id))
        clear = add_email(redis, server.port, "clear", host="localhost")
        assert "Not delivered" in post_one(redis, opened(clear.id))
    assert len(server.messages) == 1


def test_a_mail_servers_refusal_is_reported_without_its_own_words(redis: Redis) -> None:
    with mail_server() as server:
        server.refuses = {"boss@example.org"}
        to = ("duty@example.org", "boss@example.org")
        some = add_email(redis, server.port, "some", to=to)
        words = post_one(redis, opened(some.id))
        assert words == "Accepted for 1 of 2; refused: boss@example.org."
        none = add_email(redis, server.port, "none", to=("boss@example.org",))
        words = post_one(redis, opened(none.id))
        assert "refuses every recipient: boss@example.org" in words
        assert "hunter2" not in words
        tls = add_email(redis, server.port, "tls", security="starttls")
        assert "does not offer" in post_one(redis, opened(tls.id))


def test_a_mail_server_that_is_not_there_hangs_or_speaks_otherwise(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "TIMEOUT_S", 5.0)
    away = add_email(redis, closed_port(), "away")
    assert " listens there" in post_one(redis, opened(away.id))
    with receiver() as server:
        web = add_email(redis, int(server.url.rpartition(":")[2]), "web")
        assert "Not delivered" in post_one(redis, opened(web.id))
    metadata = add_email(redis, 25, "metadata", host="169.254.169.254")
    assert "may not call" in post_one(redis, opened(metadata.id))


# --- channels


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"url": "ftp://host/x"}, "http:// or https://"),
        ({"url": "http:///x"}, "with a host"),
        ({"url": "http://user:pw@host/x"}, "no user, password"),
        ({"url": "http://host:99999/"}, "http:// or https://"),
        ({"url": "http://host/a b"}, "without spaces"),
        ({"url": "http://host/\r\nX: y"}, "without spaces"),
        ({"name": ""}, "name"),
    ],
)
def test_a_web_hook_that_cannot_be_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(AlertError, match=words) as refusal:
        make_channel(**{"kind": "webhook", "name": "x", "url": "http://host/", **fields})
    assert "user:pw" not in str(refusal.value)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"to": ()}, "to"),
        ({"to": ("nobody",)}, "control@example.org"),
        ({"sender": "a@b\r\nBcc: c@d"}, "sender"),
        ({"host": "mail host"}, "a host's name"),
        ({"user": "mw"}, "expected both or neither"),
        ({"user": "mw", "password": PASSWORD, "security": "none"}, "over TLS only"),
        ({"port": 0}, "port"),
    ],
)
def test_an_e_mail_channel_that_cannot_be_is_refused_without_its_password(
    fields: dict[str, Any], words: str
) -> None:
    good = {"host": "mail", "sender": "a@example.org", "to": ("b@example.org",)}
    with pytest.raises(AlertError, match=words) as refusal:
        make_channel(**{"kind": "email", "name": "x", **good, **fields})
    assert PASSWORD not in str(refusal.value)


def test_a_saved_password_is_not_sent_to_another_server(redis: Redis) -> None:
    secure = {"security": "tls", "user": "mw", "password": PASSWORD}
    channel = add_email(redis, 465, **secure)
    with pytest.raises(AlertError, match="enter it again"):
        channels_of(redis).update(channel, host="elsewhere.example.org")
    there = {"host": "elsewhere.example.org", "password": f"new {PASSWORD}"}
    moved = channels_of(redis).update(channel, **there)
    assert isinstance(moved, EmailChannel)
    assert moved.password == there["password"]


def test_a_channels_address_and_secret_are_encrypted_and_shown_without_its_path(
    redis: Redis,
) -> None:
    channel = add_webhook(redis, "https://hooks.example.org/services/T0/tok3n")
    for secret in ("tok3n", channel.secret, channel.secret.removeprefix("whsec_")):
        assert secret.encode() not in everything_in(redis)
        assert secret not in str(public(channel)) + repr(channel)
    assert channel.shown == "https://hooks.example.org/…"
    assert channels_of(redis).get(channel.id) == channel


def test_without_the_key_a_message_waits_and_says_why(redis: Redis) -> None:
    channel = add_webhook(redis, "http://127.0.0.1:9/")
    put(redis, opened(channel.id))
    with pytest.raises(ChannelError):
        postman(redis, other_vault()).attempt(opened(channel.id).id)
    [(_, attempt)] = DeliveryStore(redis).log(5)
    assert attempt.channel == "Control room"
    assert "key file" in attempt.words
    assert len(DeliveryStore(redis).waiting()) == 1


# --- once, in order, in the end given up


def test_a_message_is_sent_once_whoever_tries_it(redis: Redis) -> None:
    with receiver() as server:
        channel = add_webhook(redis, server.url)
        message = opened(channel.id)
        put(redis, message)
        assert DeliveryStore(redis).begin(message.id)
        postman(redis).attempt(message.id)  # another process has it in hand
        assert server.got == []
        redis.delete(AlertKeys.sending(message.id))
        for _ in range(3):
            postman(redis).attempt(message.id)
    assert server.ids() == [message.id]


def test_a_job_that_rq_lost_is_queued_again(redis: Redis) -> None:
    message = opened("c1")
    put(redis, message)
    store, queue = DeliveryStore(redis), f"rq:queue:{ALERTS_QUEUE}"
    assert store.requeue(time.time()) == 1
    assert store.requeue(time.time() + 3600) == 0  # it waits for its turn
    redis.delete(queue)  # taken by a process that died before it began
    assert store.requeue(time.time()) == 0
    assert store.requeue(time.time() + LOST_AFTER_S + 5) == 1
    assert redis.lrange(queue, 0, -1) == [message.id.encode()]
    redis.delete(queue, f"rq:job:{message.id}")
    assert store.requeue(time.time()) == 1


def test_a_resolution_is_not_sent_before_its_alert(redis: Redis) -> None:
    with receiver(500) as server:
        channel = add_webhook(redis, server.url)
        closed = deliveries_of(alert(channel.id), "closed", time.time())[0]
        put(redis, closed)
        post_one(redis, opened(channel.id))
        postman(redis).attempt(closed.id)
        assert len(server.got) == 1
        postman(redis).attempt(opened(channel.id).id)
        postman(redis).attempt(closed.id)
    assert [i.split("-")[1] for i in server.ids()] == ["opened", "opened", "closed"]


def test_a_message_is_discarded_after_its_last_attempt(redis: Redis) -> None:
    with receiver(*[503] * 20) as server:
        channel = add_webhook(redis, server.url)
        message = opened(channel.id)
        put(redis, message)
        for _ in RETRY_AFTER_S:
            with pytest.raises(ChannelError):
                postman(redis).attempt(message.id)
        postman(redis).attempt(message.id)
    outcomes = [attempt.outcome for _, attempt in DeliveryStore(redis).log(20)]
    assert outcomes == ["given_up"] + ["failed"] * len(RETRY_AFTER_S)
    assert DeliveryStore(redis).waiting() == {}
    assert DeliveryStore(redis).totals() == {
        (channel.id, "failed"): len(RETRY_AFTER_S),
        (channel.id, "given_up"): 1,
    }


def test_a_message_for_a_removed_channel_is_discarded(redis: Redis) -> None:
    channel = add_webhook(redis, "http://127.0.0.1:9/")
    channels_of(redis).remove(channel.id)
    assert post_one(redis, opened(channel.id)) == "The channel was removed."
    assert DeliveryStore(redis).waiting() == {}


def test_rq_ends_an_attempt_that_takes_too_long(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receiver that sends a piece now and then never runs into the time-out of one read."""
    monkeypatch.setenv("MASKWATCH_SECRET_KEY_FILE", str(vault()._path))
    monkeypatch.setattr("bus.stores.alert_deliveries.JOB_TIMEOUT_S", 1)
    with receiver(-1) as server:
        channel = add_webhook(redis, server.url)
        message = opened(channel.id)
        put(redis, message)
        DeliveryStore(redis).enqueue(message)
        SimpleWorker([ALERTS_QUEUE], connection=redis, serializer=JSONSerializer).work(burst=True)
    [(_, attempt)] = DeliveryStore(redis).log(5)
    assert (attempt.outcome, "no answer within" in attempt.words) == ("failed", True)


# --- the real process


def test_a_receiver_that_fails_twice_gets_the_message_by_the_third_attempt(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    add_camera(redis, "Gate")
    with receiver(500, 500) as server, mail_server() as mails:
        hook, mail = add_webhook(redis, f"{server.url}/tok3n"), add_email(redis, mails.port)
        add_rule(redis, "offline", channels=(hook.id, mail.id))
        with alerts_process(redis_url, tmp_path / "log"):
            assert eventually(lambda: len(server.got) == 3 and mails.messages, 60)
            assert eventually(lambda: not DeliveryStore(redis).waiting())
    assert len(set(server.ids())) == 1
    assert len({got.body for got in server.got}) == 1
    for got in server.got:
        Webhook(hook.secret).verify(got.body, got.headers)
    assert json.loads(server.got[0].body)["data"]["camera"]["name"] == "Gate"
    tried = [a for _, a in DeliveryStore(redis).log(9) if a.channel_id == hook.id]
    assert [(a.attempt, a.outcome) for a in tried] == [
        (3, "delivered"),
        (2, "failed"),
        (1, "failed"),
    ]
    log = (tmp_path / "log").read_text()
    assert "answered 500" in log
    assert "Traceback" not in log
    assert "tok3n" not in log


def test_a_process_killed_while_it_sends_leaves_a_message_that_the_next_delivers(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    gate = FakeCamera(redis, "Gate")
    with receiver(0) as server:
        channel = add_webhook(redis, server.url)
        add_rule(redis, "offline", channels=(channel.id,))
        gate.set_state("offline")
        with alerts_process(redis_url, tmp_path / "log", timeout_s=60.0):
            assert eventually(lambda: len(server.got) == 1, 60)
        [message] = DeliveryStore(redis).waiting()
        redis.delete(AlertKeys.sending(message), AlertKeys.EVALUATOR)  # their times ran out
        with alerts_process(redis_url, tmp_path / "log"):
            assert eventually(lambda: not DeliveryStore(redis).waiting(), 60)
            gate.set_state("live")
            assert eventually(lambda: len(server.got) == 3, 60)
            assert eventually(lambda: not DeliveryStore(redis).waiting())
    # The receiver got the first twice, under one id: nobody knew whether it had taken it.
    assert [i.split("-")[1] for i in server.ids()] == ["opened", "opened", "closed"]
    assert server.ids()[0] == server.ids()[1]


def test_two_processes_tell_an_alert_once(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    gate = FakeCamera(redis, "Gate")
    with receiver() as server:
        channel = add_webhook(redis, server.url)
        add_rule(redis, "offline", channels=(channel.id,))
        log = tmp_path / "log"
        with alerts_process(redis_url, log), alerts_process(redis_url, log):
            for _ in range(3):
                before = len(server.got)
                gate.set_state("offline")
                assert eventually(lambda n=before: len(server.got) == n + 1, 60)
                gate.set_state("live")
                assert eventually(lambda n=before: len(server.got) == n + 2, 60)
    events = [i.split("-")[1] for i in server.ids()]
    assert events == ["opened", "closed"] * 3
    assert len(set(server.ids())) == 6
