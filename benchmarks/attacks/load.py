"""Load from strangers: slow bodies, guesses, made-up addresses, and all of it together.

python -m benchmarks.attacks.load [--checkout OTHER]
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from benchmarks.attacks.crowd import crowd
from benchmarks.attacks.report import Attack, attacked_checkout, print_attack
from benchmarks.system import System, running_dashboard, running_system
from bus.bus import Bus
from contract.accounts.grants import EVERYWHERE
from dashboard.accounts.service import make_accounts

GUESSES: Final = 60
TRIED_AT_MOST: Final = 5
WITHIN_S: Final = 1.0
GIVEN_UP_S: Final = 15.0
WATCHED_S: Final = 30.0
PASSWORD: Final = "four quiet words here"  # noqa: S105 - of accounts that live for one attack
_TOKEN: Final = re.compile(r'name="csrf[-_]token"[^>]* (?:content|value)="([^"]+)"')


@dataclass
class Browser:
    """A browser with its cookie, at a dashboard."""

    port: int
    cookie: str = ""

    def ask(
        self, method: str, path: str, form: dict[str, str] | None = None, **headers: str
    ) -> tuple[int, str]:
        """Return the status and the body; 0 where no answer came."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=GIVEN_UP_S)
        sent = {"Cookie": self.cookie, "Accept": "text/html", **headers}
        body = None
        if form is not None:
            body = urlencode(form)
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        except (OSError, HTTPException):
            return 0, ""
        finally:
            connection.close()
        if cookie := answer.headers.get("Set-Cookie"):
            self.cookie = cookie.split(";")[0]
        return answer.status, text

    def submit(self, page: str, **fields: str) -> int:
        """Open a page and send its form."""
        found = _TOKEN.search(self.ask("GET", page)[1])
        return self.ask("POST", page, {**fields, "csrf_token": found[1] if found else ""})[0]

    def first_of_wall(self) -> int:
        """The status of the wall's stream, once its first bytes are here."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=GIVEN_UP_S)
        try:
            connection.request("GET", "/wall/stream", headers={"Cookie": self.cookie})
            answer = connection.getresponse()
            return answer.status if answer.read1(1) else 0
        except (OSError, HTTPException):
            return 0
        finally:
            connection.close()


def attacks(checkout: Path) -> Iterator[Attack]:
    """Try all of them on a checkout's product."""
    with _dashboard(checkout) as system:
        yield _slow_bodies(_port(system))
    with _dashboard(checkout) as system:
        yield _guesses_at_once(_port(system))
    with _dashboard(checkout) as system:
        yield _guesses_of_ones_own(_port(system))
    with _dashboard(checkout, **_behind_proxy(checkout)) as system:
        yield _made_up_addresses(_port(system))
    with running_system({"CAMERAS": "Gate=demo:"}, checkout=checkout) as system:
        _add_accounts(system)
        yield _all_together(_port(system))


@contextmanager
def _dashboard(checkout: Path, **environment: str) -> Iterator[System]:
    with running_dashboard(environment, checkout=checkout) as system:
        _add_accounts(system)
        yield system


def _add_accounts(system: System) -> None:
    accounts = make_accounts(Bus(system.redis))
    for name in ("Ada", "Grace"):
        accounts.set_password(accounts.users.add(name, {EVERYWHERE: "viewer"}), PASSWORD)


def _behind_proxy(checkout: Path) -> dict[str, str]:
    """A proxy elsewhere is set; an older product knows only that there is one."""
    known = (checkout / "runtime/settings.py").is_file()  # as old as the setting
    return {
        "MASKWATCH_BEHIND_PROXY": "true",
        **({"MASKWATCH_PROXY_ADDRESSES": "192.0.2.1"} if known else {}),
    }


def _port(system: System) -> int:
    return int(system.url.rsplit(":", 1)[1])


def _slow_bodies(port: int) -> Attack:
    browser = Browser(port)
    with crowd(port, slow_bodies=1000):
        found = _worst_s(lambda: browser.ask("GET", "/healthz")[0])
    return Attack(
        3, "1,000 bodies that do not come", found.worst_s <= WITHIN_S, f"/healthz: {found}"
    )


def _guesses_at_once(port: int) -> Attack:
    started = time.monotonic()
    counted = Counter(_guess_at_once(port))
    took_s = time.monotonic() - started
    other = Browser(port).submit("/sign-in", name="Grace", password=PASSWORD)
    return Attack(
        4,
        f"{GUESSES} wrong passwords at once",
        counted[401] <= TRIED_AT_MOST and other == 302,
        f"{counted[401]} tried, in {took_s:.1f} s (answers: {dict(counted)}); "
        f"somebody else at that address then signs in: {other}",
    )


def _guess_at_once(port: int) -> list[int]:
    browser = Browser(port)
    found = _TOKEN.search(browser.ask("GET", "/sign-in")[1])
    form = {"name": "Ada", "csrf_token": found[1] if found else ""}

    def guess(number: int) -> int:
        return browser.ask("POST", "/sign-in", {**form, "password": f"guess {number}"})[0]

    with ThreadPoolExecutor(GUESSES) as guessers:
        return list(guessers.map(guess, range(GUESSES)))


def _guesses_of_ones_own(port: int) -> Attack:
    browser = Browser(port)
    browser.submit("/sign-in", name="Ada", password=PASSWORD)
    new = {"password": "another quiet sentence", "again": "another quiet sentence"}
    answers = [browser.submit("/account", current=f"guess {n}", **new) for n in range(12)]
    return Attack(
        15,
        "guesses of one's own password",
        answers.count(422) <= TRIED_AT_MOST,
        f"{answers.count(422)} of 12 tried: {answers}",
    )


def _made_up_addresses(port: int) -> Attack:
    # Cookies are for HTTPS only here, which this browser does not mind.
    browser, answers = Browser(port), []
    found = _TOKEN.search(browser.ask("GET", "/sign-in")[1])
    for number in range(12):
        form = {"name": "Ada", "password": "wrong", "csrf_token": found[1] if found else ""}
        address = {"X-Forwarded-For": f"198.51.100.{number}"}
        answers.append(browser.ask("POST", "/sign-in", form, **address)[0])
    return Attack(
        15,
        "X-Forwarded-For made up for each guess",
        answers.count(401) <= TRIED_AT_MOST,
        f"{answers.count(401)} of 12 tried: {answers}",
    )


def _all_together(port: int) -> Attack:
    viewer = Browser(port)
    viewer.submit("/sign-in", name="Grace", password=PASSWORD)
    with (
        crowd(port, slow_bodies=1000, idle=500, no_version=1),
        ThreadPoolExecutor(2) as others,
    ):
        guessed = others.submit(_guess_at_once, port)
        health = others.submit(_worst_s, lambda: Browser(port).ask("GET", "/healthz")[0])
        wall = _worst_s(viewer.first_of_wall)
        healthz, counted = health.result(), Counter(guessed.result())
    return Attack(
        0,
        "1,000 slow bodies, 500 idle connections, 60 guesses and the packet of line 1 together",
        max(healthz.worst_s, wall.worst_s) <= WITHIN_S and counted[401] <= TRIED_AT_MOST,
        f"/healthz: {healthz}; wall: {wall}; guesses: {dict(counted)}",
        "G2",
    )


@dataclass(frozen=True)
class Worst:
    """How long answers took."""

    worst_s: float
    median_s: float
    samples: int
    without_answer: int

    def __str__(self) -> str:
        return (
            f"worst {self.worst_s:.2f} s, median {self.median_s:.3f} s of {self.samples}, "
            f"{self.without_answer} without an answer"
        )


def _worst_s(ask: Callable[[], int]) -> Worst:
    """Ask again and again; an answer that never came took as long as it was waited for."""
    took_s, lost, end_s = [], 0, time.monotonic() + WATCHED_S
    while time.monotonic() < end_s:
        started = time.monotonic()
        status = ask()
        took_s.append(time.monotonic() - started if status else GIVEN_UP_S)
        lost += not status
        time.sleep(0.05)
    return Worst(max(took_s), sorted(took_s)[len(took_s) // 2], len(took_s), lost)


def main() -> None:
    """Print a line of JSON for each."""
    for attack in attacks(attacked_checkout("Attack the product with load from strangers.")):
        print_attack(attack)


if __name__ == "__main__":
    main()
