"""Whether any secret shows anywhere (result 7 of "The operator's dashboard").

python -m benchmarks.leak_scan

Runs the whole system and drives it with secrets that are known: camera passwords with odd symbols
(of cameras that are live, refused, probed and changed), a mail server's password, a web hook's
token and signing secret, account passwords, one-time links, session cookies, API keys, the secret
key. Then looks for each of them, as it is, percent-encoded, in base64, as JSON and as HTML write
it, in: the log of all processes, every page and API answer that can be had, the metrics, error
messages, the process list, and every name and value in Redis (RQ's compressed jobs unpacked) and in
its append-only file. A line a place; what a page shows once on purpose (a new key, a new link) is
not looked at.
"""

from __future__ import annotations

import base64
import contextlib
import html
import re
import secrets
import tempfile
import time
import urllib.parse
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import psutil
import requests

from benchmarks.secrets_seen import Places
from benchmarks.system import System, free_port, print_result, running_system, wait_until
from contract.alert_channels import channel_names
from contract.settings import load_settings
from contract.status import StatusStore
from contract.vault import load_vault
from dashboard.accounts.service import make_accounts
from dashboard.app import create_app
from tests.builders import values_in
from tests.servers.clips import make_clip
from tests.servers.rtsp import rtsp_server

CANARY: Final = "c4nary-that-must-be-seen"
"""The name of a camera, which is no secret: a place where it is not found was not looked at."""
CANARY_PLACES: Final = (
    "API answers",
    "events",
    "other answers",
    "Redis",
    "Redis' files",
    "metrics",
    "pages",
)
_TOKEN: Final = re.compile(r'name="csrf[-_]token"[^>]* (?:content|value)="([^"]+)"')


class Drive:
    """Uses the system as people and programs would, and remembers every secret it used."""

    def __init__(self, system: System, rtsp_url: str, user: str, password: str) -> None:
        self.system = system
        self.known: dict[str, str] = {}
        self.places = Places()
        self._host = rtsp_url.removeprefix("rtsp://")
        self._user = user
        self._password = password
        self._http = requests.Session()
        self._mark = secrets.token_hex(4)

    def run(self) -> None:
        """Everything once."""
        self._first_administrator()
        self._cameras()
        self._files()
        self._probes()
        self._accounts()
        self._keys()
        self._channels()
        self._mistakes()
        time.sleep(2)
        self._read_all()

    def secret(self, name: str, value: str) -> str:
        """Remember a secret under a name to report it by."""
        self.known[name] = value
        return value

    def _first_administrator(self) -> None:
        log = self.system.log.read_text()
        link = next(part for part in log.split() if "/welcome/" in part)
        self.secret("a used link's token", link.rsplit("/", 1)[1])
        password = self.secret("the administrator's password", f"Tr{self._mark}ub4d&r <3 %41 ü")
        self._submit(link, link, {"password": password, "again": password})
        self._sign_out()
        self._submit("/sign-in", "/sign-in", {"name": "admin", "password": "wr0ng" + password})
        self._submit("/sign-in", "/sign-in", {"name": password, "password": "in the wrong field"})
        self._submit("/sign-in", "/sign-in", {"name": "admin", "password": password})
        [cookie] = [c for c in self._http.cookies if c.name.startswith("maskwatch_")]
        self.secret("a session cookie", str(cookie.value))

    def _sign_out(self) -> None:
        self._submit("/account", "/sign-out", {})

    def _cameras(self) -> None:
        """One that goes live, two that are refused, one that nobody answers for, one changed."""
        right = self.secret("a camera's password", self._password)
        wrong = self.secret("a wrong camera password", f"n0t'\"{self._mark}&it=?")
        again = self.secret("a changed camera password", f"p/@:{self._mark}#% x")
        key = self.secret("a key in an address", f"k{self._mark}y")
        sources = {
            f"live {CANARY}": f"rtsp://{self._user}:{right}@{self._host}/hall",
            "refused": f"rtsp://{self._user}:{wrong}@{self._host}/hall",
            "nobody": f"rtsp://{self._user}:{wrong}@127.0.0.1:{free_port()}/x",
            "nowhere": f"http://{self._user}:{wrong}@no-such-camera.invalid/x",
            "query": f"http://127.0.0.1:{free_port()}/video?user=x&token={key}",
        }
        ids = {}
        for name, source in sources.items():
            answer = self._api("POST", "/api/v1/cameras", {"name": name, "source": source})
            ids[name] = answer.json()["id"]
        changed = {"source": f"rtsp://{self._user}:{again}@127.0.0.1:{free_port()}/y"}
        self._api("PATCH", f"/api/v1/cameras/{ids['nobody']}", changed)
        cameras = [c for c in self.system.cameras() if c.id in ids.values()]

        def settled() -> bool:
            states = StatusStore(self.system.redis).read(cameras)
            others = [s for i, s in states.items() if i != ids[f"live {CANARY}"]]
            return states[ids[f"live {CANARY}"]].state == "live" and all(
                s.error_kind not in {"", "no_ingest"} for s in others
            )

        wait_until(settled, 60, "the cameras to go live or say why not", self.system)

    def _files(self) -> None:
        """Files of cameras with passwords, good and bad, tried and taken; what comes out again."""
        secret = self.secret("a password in a file", f"f1le{self._mark}/@!")
        source = f"rtsp://{self._user}:{secret}@127.0.0.1:{free_port()}/z"
        files = {
            "csv": f'name,source\nfrom a file,"{source}"\n',
            "yaml": f"- name: from a file\n  source: '{source}x'\n",
        }
        for form, text in files.items():
            for query in ("&dry_run=1", ""):
                self._send(f"/api/v1/cameras/import?format={form}{query}", text)
            self._saw(self._http.get(f"{self.system.url}/api/v1/cameras/export?format={form}"))
            for broken in (text.replace("rtsp", "ftp"), text.replace("source", source), source):
                self._send(f"/api/v1/cameras/import?format={form}", broken)

    def _send(self, path: str, text: str) -> None:
        headers = {"X-CSRFToken": self._token("/account"), "Content-Type": "text/plain"}
        url = self.system.url + path
        self._saw(self._http.post(url, data=text.encode(), headers=headers, timeout=30))

    def _probes(self) -> None:
        secret = self.secret("a probed password", f"pr0be{self._mark}/@!")
        started = [
            self._api("POST", "/api/v1/probes", {"source": source}).json()["id"]
            for source in (
                f"rtsp://{self._user}:{secret}@{self._host}/hall",
                f"rtsp://{self._user}:{secret}@127.0.0.1:{free_port()}/hall",
            )
        ]
        for probe in started:
            path = f"/api/v1/probes/{probe}"
            wait_until(partial(self._probed, path), 60, "a probe")

    def _probed(self, path: str) -> object:
        return self._api("GET", path).json()["result"]

    def _accounts(self) -> None:
        accounts = make_accounts(self.system.redis)
        page = self._submit(
            "/settings/users", "/settings/users", {"name": "Grace", "role_everywhere": "viewer"}
        )
        link = self.secret("an unused link's token", _value(page.text, "link").rsplit("/", 1)[1])
        assert accounts.links.read(link)
        current = self.known["the administrator's password"]
        new = self.secret("a new password", f"an0ther {self._mark} one?")
        self._submit("/account", "/account", {"current": current, "password": new, "again": new})
        self._submit("/account", "/account", {"current": "x", "password": new, "again": "y"})

    def _keys(self) -> None:
        fields = {"name": "scripts", "kind": "api", "role_everywhere": "operator", "days": "30"}
        page = self._submit("/settings/keys", "/settings/keys", fields)
        key = self.secret("an API key", _value(page.text, "key"))
        basic = base64.b64encode(f"any:{key}".encode()).decode()
        for header in (f"Bearer {key}", f"Basic {basic}", f"Bearer {key}x"):
            answer = requests.get(
                f"{self.system.url}/api/v1/cameras", headers={"Authorization": header}, timeout=10
            )
            self._saw(answer)
        self.secret("the benchmark's API key", self.system.key)
        key_file = self.system.log.parent / "secret.key"
        self.secret("the secret key", key_file.read_text().strip())

    def _channels(self) -> None:
        """A web hook and a mail server that are not there, tested; then with mistakes."""
        token = self.secret("a token in a web hook's address", f"h00k{self._mark}")
        password = self.secret("a mail password", f"m4il'{self._mark}/@ 5")
        hook = {"kind": "webhook", "name": "hook", "url": f"http://127.0.0.1:{free_port()}/{token}"}
        page = self._submit(
            "/alerts/channels", "/alerts/channels/new?kind=webhook", hook | {"kind": ""}
        )
        self.secret("a web hook's signing secret", _value(page.text, "secret"))
        mail = {
            "kind": "email",
            "name": "mail",
            "host": "127.0.0.1",
            "port": free_port(),
            "user": "mw",
            "password": password,
            "sender": "maskwatch@example.org",
            "to": ["duty@example.org"],
        }
        made = self._api("POST", "/api/v1/alerts/channels", mail).json()["id"]
        self._api("POST", "/api/v1/alerts/channels", mail | {"security": "none"})
        self._api("POST", "/api/v1/alerts/channels", hook | {"url": f"ftp://host/{token}"})
        self._api("PATCH", f"/api/v1/alerts/channels/{made}", {"host": "elsewhere.example.org"})
        for channel in self._api("GET", "/api/v1/alerts/channels").json()["channels"]:
            self._api("POST", f"/api/v1/alerts/channels/{channel['id']}/test")

    def _mistakes(self) -> None:
        """What makes error messages."""
        secret = self.known["a wrong camera password"]
        for body in (
            {"name": "x", "source": f"ftp://u:{secret}@host/x"},
            {"name": "x", "source": f"rtsp://u:{secret}@host/x", "analysis_fps": secret},
            {"name": "", "source": f"rtsp://u:{secret}@host/x"},
            {"name": "x", "source": [f"rtsp://u:{secret}@host/x"]},
        ):
            self._api("POST", "/api/v1/cameras", body)

    def _read_all(self) -> None:
        self.places.add("the log", self.system.log.read_bytes())
        for path in self._addresses():
            self._saw(self._http.get(self.system.url + path, timeout=10))
        self._listen()
        for process in psutil.Process(self.system.process.pid).children(recursive=True):
            self.places.add("the process list", " ".join(process.cmdline()))
        for value in values_in(self.system.redis):
            self.places.add("Redis", value)
            for unpacked in _unpacked(value):
                self.places.add("Redis, unpacked", unpacked)
        for file in (self.system.log.parent / "redis").rglob("*"):
            if file.is_file():
                self.places.add("Redis' files", file.read_bytes())

    def _listen(self) -> None:
        """The events of every camera's state."""
        url, events = f"{self.system.url}/api/v1/events", 0
        with self._http.get(url, stream=True, timeout=30) as answer:
            for line in answer.iter_lines():
                self.places.add("events", line)
                events += line.startswith(b"event: state")
                if events == len(self.system.cameras()):
                    return

    def _addresses(self) -> Iterator[str]:
        """Every GET route there is, for every camera and account."""
        vault = load_vault(self.system.log.parent / "secret.key")
        routes = create_app(load_settings({}), self.system.redis, vault).url_map.iter_rules()
        cameras = [camera.id for camera in self.system.cameras()]
        users = [user.id for user in make_accounts(self.system.redis).users.all()]
        channels = list(channel_names(self.system.redis))
        for route in routes:
            if "GET" not in (route.methods or ()) or "stream" in route.rule:
                continue
            if route.rule == "/api/v1/events":  # endless, too: `_listen`
                continue
            ids = cameras if "camera_id" in route.arguments else users
            ids = channels if "channel_id" in route.arguments else ids
            for one in ids if route.arguments else [""]:
                yield re.sub(r"<(?:\w+:)?\w+>", one, route.rule)

    def _api(self, method: str, path: str, body: Any = None) -> requests.Response:
        headers = {"X-CSRFToken": self._token("/account")}
        url = self.system.url + path
        answer = self._http.request(method, url, json=body, headers=headers, timeout=30)
        self._saw(answer)
        return answer

    def _submit(self, page: str, action: str, fields: dict[str, str]) -> requests.Response:
        url = urllib.parse.urljoin(self.system.url, action)
        form = {**fields, "csrf_token": self._token(page)}
        answer = self._http.post(url, data=form, headers={"Accept": "text/html"}, timeout=20)
        if answer.request.method == "POST" and 'readonly value="' in answer.text:
            return answer  # shows a new link or key, once, on purpose
        self._saw(answer)
        return answer

    def _token(self, page: str) -> str:
        url = urllib.parse.urljoin(self.system.url, page)
        found = _TOKEN.search(self._http.get(url, headers={"Accept": "text/html"}, timeout=10).text)
        if not found:
            raise SystemExit(f"{page} carries no token")
        return found.group(1)

    def _saw(self, answer: requests.Response) -> None:
        kind = answer.headers.get("Content-Type", "").split(";")[0]
        place = {
            "application/json": "API answers",
            "text/html": "pages",
            "text/plain": "metrics",
        }.get(kind, "other answers")
        if answer.status_code >= 400:
            place = "error answers"
        self.places.add(place, answer.content)
        headers = [f"{k}: {v}" for k, v in answer.headers.items() if k.lower() != "set-cookie"]
        self.places.add("headers", "\n".join(headers))


def _unpacked(value: bytes) -> Iterator[bytes]:
    """What is in a value that RQ or somebody else compressed or wrote in base64."""
    with contextlib.suppress(zlib.error):
        yield zlib.decompress(value)
    with contextlib.suppress(ValueError):
        decoded = base64.b64decode(value, validate=True)
        yield decoded
        with contextlib.suppress(zlib.error):
            yield zlib.decompress(decoded)


def _value(page: str, element: str) -> str:
    """What a page shows once, in the field of that id."""
    found = re.search(rf'id="{element}" readonly value="([^"]+)"', page)
    if not found:
        raise SystemExit(f"the page shows no {element}")
    return html.unescape(found.group(1))


def scan(report: Callable[[str], Any] = print) -> tuple[list[str], Drive]:
    """Drive a system and return what leaked."""
    user, password = "adm in", f"p@ss:w/{secrets.token_hex(3)}rd?#1%"
    with tempfile.TemporaryDirectory() as folder:
        clip = make_clip(Path(folder) / "clip.mp4")
        with (
            rtsp_server({"hall": clip}, user, password) as rtsp_url,
            running_system({"MASKWATCH_LOG_LEVEL": "DEBUG"}) as system,
        ):
            wait_until(lambda: "/welcome/" in system.log.read_text(), 30, "the link", system)
            drive = Drive(system, rtsp_url, user, password)
            drive.run()
    for place, texts in sorted(drive.places.seen.items()):
        report(f"  {sum(map(len, texts)):9} bytes  {len(texts):5} texts  {place}")
    return drive.places.leaks(drive.known), drive


def main() -> None:
    leaks, drive = scan()
    used_link = "a used link's token in the log"  # printed there on purpose, and worth nothing now
    leaks = [leak for leak in leaks if leak != used_link]
    found = drive.places.leaks({"canary": CANARY})
    blind = [place for place in CANARY_PLACES if f"canary in {place}" not in found]
    print(f"{len(drive.known)} secrets, {drive.places.size() / 1e6:.1f} MB looked at")
    for leak in leaks:
        print("  !", leak)
    print_result("D7 places not looked at", blind, "", "[]", not blind)
    print_result("D7 secrets in clear", len(leaks), "", "0", not leaks)
    if leaks or blind:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
