"""Uses a running system as people and programs would, and remembers every secret it used."""

from __future__ import annotations

import base64
import html
import re
import secrets
import urllib.parse
from functools import partial
from typing import Any, Final

import requests

from benchmarks.secrecy.secrets_seen import Places
from benchmarks.system import System, free_port, wait_until
from bus.bus import Bus
from bus.stores.status import StatusStore
from dashboard.accounts.service import make_accounts

CANARY: Final = "c4nary-that-must-be-seen"
"""The name of a camera, which is no secret: a place where it is not found was not looked at."""
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
        self.http = requests.Session()
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
        [cookie] = [c for c in self.http.cookies if c.name.startswith("maskwatch_")]
        self.secret("a session cookie", str(cookie.value))

    def _sign_out(self) -> None:
        self._submit("/account", "/sign-out", {})

    def _cameras(self) -> None:
        """One that goes live, two that are refused, one that nobody answers for, one changed."""
        right = self.secret("a camera's password", self._password)
        wrong = self.secret("a wrong camera password", f"n0t'\"{self._mark}&it=?")
        again = self.secret("a changed camera password", f"p/@:{self._mark}#% x")
        key = self.secret("a key in an address", f"k{self._mark}y")
        in_path = self.secret("a password in a path", f"Zq{self._mark}pL")
        in_query = self.secret("a password in a query", f"hY{self._mark}wK")
        as_path = self.secret("a token as a path", f"mB{self._mark}xR3n")
        gone = free_port()
        sources = {
            f"live {CANARY}": f"rtsp://{self._user}:{right}@{self._host}/hall",
            "refused": f"rtsp://{self._user}:{wrong}@{self._host}/hall",
            "nobody": f"rtsp://{self._user}:{wrong}@127.0.0.1:{free_port()}/x",
            "nowhere": f"http://{self._user}:{wrong}@no-such-camera.invalid/x",
            "query": f"http://127.0.0.1:{free_port()}/video?user=x&token={key}",
            "path": f"rtsp://127.0.0.1:{gone}/user=admin_password={in_path}_channel=1",
            "pw": f"http://127.0.0.1:{gone}/live?pw={in_query}",
            "token": f"rtsp://{self._user}:{right}@{self._host}/{as_path}",
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
        path = self.secret("a password in a path in a file", f"tN{self._mark}vW")
        source = f"rtsp://{self._user}:{secret}@127.0.0.1:{free_port()}/user=z_password={path}"
        files = {
            "csv": f'name,source\nfrom a file,"{source}"\n',
            "yaml": f"- name: from a file\n  source: '{source}x'\n",
        }
        for form, text in files.items():
            for query in ("&dry_run=1", ""):
                self._send(f"/api/v1/cameras/import?format={form}{query}", text)
            self.saw(self.http.get(f"{self.system.url}/api/v1/cameras/export?format={form}"))
            for broken in (text.replace("rtsp", "ftp"), text.replace("source", source), source):
                self._send(f"/api/v1/cameras/import?format={form}", broken)

    def _send(self, path: str, text: str) -> None:
        headers = {"X-CSRFToken": self._token("/account"), "Content-Type": "text/plain"}
        url = self.system.url + path
        self.saw(self.http.post(url, data=text.encode(), headers=headers, timeout=30))

    def _probes(self) -> None:
        secret = self.secret("a probed password", f"pr0be{self._mark}/@!")
        token = self.secret("a token in a probed path", f"gD{self._mark}sF")
        started = [
            self._api("POST", "/api/v1/probes", {"source": source}).json()["id"]
            for source in (
                f"rtsp://{self._user}:{secret}@{self._host}/hall",
                f"rtsp://{self._user}:{secret}@127.0.0.1:{free_port()}/hall",
                f"rtsp://{self._user}:{self._password}@{self._host}/{token}",
                f"http://127.0.0.1:{free_port()}/password={token}/?pw={token}",
            )
        ]
        for probe in started:
            path = f"/api/v1/probes/{probe}"
            wait_until(partial(self._probed, path), 60, "a probe")

    def _probed(self, path: str) -> object:
        return self._api("GET", path).json()["result"]

    def _accounts(self) -> None:
        accounts = make_accounts(Bus(self.system.redis))
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
            self.saw(answer)
        self.secret("the benchmark's API key", self.system.key)
        key_file = self.system.log.parent / "secret.key"
        self.secret("the secret key", key_file.read_text().strip())

    def _channels(self) -> None:
        """A webhook and a mail server that are not there, tested; then with mistakes."""
        token = self.secret("a token in a webhook's address", f"h00k{self._mark}")
        password = self.secret("a mail password", f"m4il'{self._mark}/@ 5")
        hook = {"kind": "webhook", "name": "hook", "url": f"http://127.0.0.1:{free_port()}/{token}"}
        page = self._submit(
            "/alerts/channels", "/alerts/channels/new?kind=webhook", hook | {"kind": ""}
        )
        self.secret("a webhook's signing secret", _value(page.text, "secret"))
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
            {"name": "x", "source": f"rtsp://host/{secret}\t"},
            {"name": "x", "source": f"gopher://host/password={secret}"},
            {"name": "x", "source": f"rtsp://host/password={secret}/" + "x" * 3000},
        ):
            self._api("POST", "/api/v1/cameras", body)

    def _api(self, method: str, path: str, body: Any = None) -> requests.Response:
        headers = {"X-CSRFToken": self._token("/account")}
        url = self.system.url + path
        answer = self.http.request(method, url, json=body, headers=headers, timeout=30)
        self.saw(answer)
        return answer

    def _submit(self, page: str, action: str, fields: dict[str, str]) -> requests.Response:
        url = urllib.parse.urljoin(self.system.url, action)
        form = {**fields, "csrf_token": self._token(page)}
        answer = self.http.post(url, data=form, headers={"Accept": "text/html"}, timeout=20)
        if answer.request.method == "POST" and 'readonly value="' in answer.text:
            return answer  # shows a new link or key, once, on purpose
        self.saw(answer)
        return answer

    def _token(self, page: str) -> str:
        url = urllib.parse.urljoin(self.system.url, page)
        found = _TOKEN.search(self.http.get(url, headers={"Accept": "text/html"}, timeout=10).text)
        if not found:
            raise SystemExit(f"{page} carries no token")
        return found.group(1)

    def saw(self, answer: requests.Response) -> None:
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


def _value(page: str, element: str) -> str:
    """What a page shows once, in the field of that id."""
    found = re.search(rf'id="{element}" readonly value="([^"]+)"', page)
    if not found:
        raise SystemExit(f"the page shows no {element}")
    return html.unescape(found.group(1))
