"""Programs that ask the dashboard through a proxy: curl and Prometheus."""

from __future__ import annotations

import gzip
import json
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Final

from benchmarks.real_clients import ClientError
from benchmarks.real_clients.players import PATIENCE_S, find, run
from benchmarks.system import free_port
from tests.servers.reverse_proxies import ReverseProxy

SCRAPED: Final = "maskwatch_workers"
AS_PROMETHEUS: Final = {
    "Accept": "application/openmetrics-text;version=1.0.0,"
    "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "Accept-Encoding": "gzip",
    "X-Prometheus-Scrape-Timeout-Seconds": "10",
    "User-Agent": "Prometheus/2.42.0",
}
CONFIGURATION: Final = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: maskwatch
    scheme: https
    metrics_path: {path}/metrics
    authorization: {{credentials: "{key}"}}
    tls_config: {{ca_file: "{authority}"}}
    static_configs: [{{targets: ["{host}"]}}]
"""


def curl(proxy: ReverseProxy, key: str, camera_id: str) -> str:
    """Ask for a page, an answer, and the live pictures, as scripts do."""
    ask = [find("curl"), "--silent", "--show-error", "--fail", "--cacert", str(proxy.authority)]
    auth = ["--header", f"Authorization: Bearer {key}"]
    health = json.loads(run([*ask, f"{proxy.url}/healthz"]))
    found = json.loads(run([*ask, *auth, f"{proxy.url}/api/v1/cameras"]))["cameras"]
    if camera_id not in {one["id"] for one in found}:
        raise ClientError(f"curl found the cameras {found}")
    stream = f"{proxy.url}/cameras/{camera_id}/stream.mjpg"
    pictures = _pictures([*ask, "--no-buffer", *auth, stream])
    silent = ("--output", "/dev/null", "--write-out", "%{http_version}")
    version = run([*ask, *auth, *silent, f"{proxy.url}/"])
    return f"{health['status']}, {pictures} live pictures, HTTP/{version}"


def _pictures(command: list[str], wanted: int = 5) -> int:
    """Read a stream until that many pictures were there."""
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        received, deadline_s = b"", time.monotonic() + PATIENCE_S
        try:
            while received.count(b"Content-Type: image/jpeg") <= wanted:
                chunk = process.stdout.read1(65536)  # type: ignore[attr-defined]
                if not chunk or time.monotonic() > deadline_s:
                    raise ClientError(
                        f"curl received {len(received)} bytes of a stream, then nothing"
                    )
                received += chunk
        finally:
            process.kill()
    return wanted


def scrape(proxy: ReverseProxy, key: str) -> str:
    """Ask for metrics with the very headers of Prometheus."""
    answer = proxy.open("/metrics", {**AS_PROMETHEUS, "Authorization": f"Bearer {key}"})
    body, kind = answer.read(), answer.headers["Content-Type"]
    if answer.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    if answer.status != 200 or "openmetrics" not in kind or not body.endswith(b"# EOF\n"):
        raise ClientError(f"/metrics answered {answer.status} as {kind}")
    return f"{len(body)} bytes of OpenMetrics"


def prometheus(proxy: ReverseProxy, key: str, folder: Path) -> str:
    """Have Prometheus itself scrape, and ask it for a metric."""
    port, file = free_port(), folder / "prometheus.yml"
    file.write_text(
        CONFIGURATION.format(path=proxy.root, key=key, authority=proxy.authority, host=proxy.host),
        encoding="utf-8",
    )
    command = [
        find("prometheus"),
        f"--config.file={file}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        try:
            deadline_s = time.monotonic() + PATIENCE_S
            while time.monotonic() < deadline_s:
                if found := _query(port, "up") and _query(port, SCRAPED):
                    return f"up, {SCRAPED} is {found}"
                time.sleep(0.5)
        finally:
            process.kill()
    raise ClientError("Prometheus got no metric")


def _query(port: int, metric: str) -> str:
    try:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{port}/api/v1/query?query={metric}", timeout=5
        ) as answer:
            results = json.load(answer)["data"]["result"]
    except OSError:
        return ""
    value = str(results[0]["value"][1]) if results else "0"
    return "" if value == "0" else value
