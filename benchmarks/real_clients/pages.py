"""All main pages in a browser, under a proxy's path: signed in by the form, nothing missing."""

from __future__ import annotations

import json
import time
from typing import Any, Final, Protocol

from benchmarks.real_clients import ClientError

PAGES: Final = (
    *("/", "/cameras/{camera}", "/cameras/{camera}/edit", "/cameras/new", "/cameras/import"),
    *("/alerts", "/alerts/rules", "/alerts/channels", "/alerts/log"),
    *("/try", "/try/webcam", "/try/recordings", "/api", "/account"),
    *("/settings/users", "/settings/keys", "/settings/audit"),
)
PATIENCE_S: Final = 60
LOADED: Final = """JSON.stringify({
  error: document.querySelector('[data-error]')?.dataset.error ?? '',
  styled: getComputedStyle(document.body).fontFamily !== '' && document.styleSheets.length > 0,
  status: performance.getEntriesByType('navigation')[0]?.responseStatus ?? 0,
  resources: performance.getEntriesByType('resource').map(e => [e.name, e.responseStatus ?? 200]),
})"""
SIGN_IN: Final = """(() => {
  document.querySelector('#name').value = %s;
  document.querySelector('#password').value = %s;
  document.querySelector('form').submit();
  return true;
})()"""
LIVE: Final = "document.querySelectorAll('.tile[data-sequence]').length"


class Browser(Protocol):
    """What a browser is asked."""

    def open(self, url: str) -> None: ...
    def read(self, script: str) -> Any: ...


def walk(browser: Browser, url: str, camera_id: str, name: str, password: str) -> str:
    """Sign in at `url` and open every page; return what was seen.

    Raises:
        ClientError: a page or a file of it is missing, or leads out of the path.
    """
    browser.open(f"{url}/alerts")  # which asks to sign in, and leads back
    browser.read(SIGN_IN % (json.dumps(name), json.dumps(password)))
    _wait(browser, f"location.href === {json.dumps(url + '/alerts')}", "the page asked for")
    files: set[str] = set()
    for path in PAGES:
        page = url + path.format(camera=camera_id)
        browser.open(page)
        _wait(browser, "document.readyState === 'complete'", path)
        files |= _check(json.loads(browser.read(LOADED)), url, path)
        if path == "/":
            _wait(browser, f"{LIVE} > 0", "a live picture on the wall")
    return f"{len(PAGES)} pages, {len(files)} files, live pictures on the wall"


def _check(found: dict[str, Any], url: str, path: str) -> set[str]:
    resources = {name: status for name, status in found["resources"] if name.startswith("http")}
    outside = [name for name in resources if not name.startswith(f"{url}/")]
    missing = [name for name, status in resources.items() if status >= 400]
    if found["error"] or found["status"] >= 400 or not found["styled"] or outside or missing:
        raise ClientError(
            f"{path}: status {found['status']} {found['error']}, outside {outside}, "
            f"missing {missing}, styled {found['styled']}"
        )
    return set(resources)


def _wait(browser: Browser, condition: str, what: str) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not browser.read(condition):
        if time.monotonic() > deadline_s:
            raise ClientError(f"waited in vain for {what}, at {browser.read('location.href')}")
        time.sleep(0.1)
