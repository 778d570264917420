"""Many guesses at one moment, at the real server."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from urllib.parse import urlencode

import gevent
import pytest
from redis import Redis

from bus.stores.accounts.throttle import PER_NAME, PER_NAME_AND_ADDRESS, SignInThrottle
from contract.errors import BusyError, TooManyAttemptsError
from dashboard.accounts.passwords import GeventPool
from tests.accounts import TOKEN, accounts_of, make_user
from tests.integration.test_dashboard_server import Server

GUESSES = 60
REFUSED = "was refused at sign-in"


def test_of_many_guesses_at_one_moment_no_more_are_tried_than_of_many_in_a_row(
    server: Server, redis: Redis
) -> None:
    make_user(redis)
    cookie, token = form_of(server)

    def guess(number: int) -> tuple[int, bool]:
        return post(server, cookie, name="Ada", password=f"guess {number}", csrf_token=token)

    with ThreadPoolExecutor(GUESSES) as guessers:
        answers = list(guessers.map(guess, range(GUESSES)))
    counted = Counter(status for status, _ in answers)
    tried = sum(one.action == REFUSED for one in accounts_of(redis).audit.newest(100))
    assert counted[401] == tried <= PER_NAME_AND_ADDRESS.amount
    assert set(counted) <= {401, 429, 503}
    assert all(when for status, when in answers if status != 401), "they are told when to try again"


def test_more_hashes_than_may_wait_are_refused_and_not_begun() -> None:
    pool, go, begun = GeventPool(size=1, waiting=1), threading.Event(), []

    def work() -> int:
        begun.append(1)
        go.wait(30)
        return 7

    first, second = (gevent.spawn(pool, work) for _ in range(2))
    gevent.sleep(0)
    with pytest.raises(BusyError):
        pool(work)
    go.set()
    assert (first.get(timeout=30), second.get(timeout=30)) == (7, 7)
    assert len(begun) == 2
    assert pool(work) == 7, "there is room again"


def test_an_attempt_that_was_refused_by_one_counter_counts_at_none(redis: Redis) -> None:
    throttle = SignInThrottle(redis)
    for number in range(PER_NAME.amount):
        throttle.begin("ada", f"10.0.0.{number}")
    for _ in range(3):
        with pytest.raises(TooManyAttemptsError):
            throttle.begin("ada", "10.1.0.1")
    assert [throttle.begin(f"name {n}", "10.1.0.1") for n in range(20)], "the address is as free"


def test_a_burst_beyond_the_limit_costs_redis_nothing(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    throttle, asked = SignInThrottle(redis), []

    def exists(key: str) -> int:
        asked.append(key)
        gevent.sleep(0)  # as a connection lets others run
        return 0

    monkeypatch.setattr(redis, "exists", exists)
    guesses = [gevent.spawn(throttle.begin, "ada", "10.1.0.1") for _ in range(GUESSES)]
    refused = [one for one in gevent.joinall(guesses, timeout=30) if not one.successful()]
    assert {type(one.exception) for one in refused} == {TooManyAttemptsError}
    assert len(refused) == GUESSES - PER_NAME_AND_ADDRESS.amount
    assert len(asked) == PER_NAME_AND_ADDRESS.amount


def form_of(server: Server) -> tuple[str, str]:
    """The cookie and the token of a browser that opened the sign-in page."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", "/sign-in", headers={"Accept": "text/html"})
    answer = connection.getresponse()
    found = TOKEN.search(answer.read().decode())
    assert found
    return str(answer.headers["Set-Cookie"]).split(";")[0], found.group(1)


def post(server: Server, cookie: str, **fields: str) -> tuple[int, bool]:
    """The status of a sign-in, and whether it says when to come back."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    form = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}
    connection.request("POST", "/sign-in", urlencode(fields), form)
    answer = connection.getresponse()
    answer.read()
    return answer.status, "Retry-After" in answer.headers
