"""nginx and HAProxy with the very configurations of the documentation."""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Final

import pytest

from tests.integration.test_dashboard_hub import eventually
from tests.integration.test_dashboard_server import free_port
from tests.servers.certificates import Authority

PAGE: Final = Path(__file__).resolve().parents[2] / "docs/how-to/reverse-proxy.md"
PATIENCE_S: Final = 15.0
NGINX: Final = """
{user}
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {server}
}}
"""


class ReverseProxy:
    """A proxy that serves a dashboard over TLS as `https://localhost:PORT`, and its clients."""

    def __init__(self, port: int, authority: Path, root: str) -> None:
        self.host = f"localhost:{port}"
        self.root = root
        """The path under which it serves the dashboard; "" for the host's root."""
        self.authority = authority

    @property
    def url(self) -> str:
        return f"https://{self.host}{self.root}"

    def open(self, path: str, headers: dict[str, str], body: bytes | None = None) -> HTTPResponse:
        """GET a path below the root, or POST `body` to it."""
        context = ssl.create_default_context(cafile=str(self.authority))
        connection = HTTPSConnection(self.host, timeout=PATIENCE_S, context=context)
        connection.request("GET" if body is None else "POST", self.root + path, body, headers)
        return connection.getresponse()


def configuration(program: str, under_path: bool) -> str:
    """What the documentation has a proxy be set to."""
    found = re.findall(rf"```{program}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return str(found[under_path])


@contextmanager
def reverse_proxy(
    program: str, under_path: bool, dashboard_port: int, folder: Path, without: str = ""
) -> Iterator[ReverseProxy]:
    """Run the proxy until left; skips where there is none. `without`: lines to leave out."""
    path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if path is None:
        pytest.skip(f"needs {program}: apt-get install {program}")
    port, authority = free_port(), Authority(folder, "authority")
    certificate, key = authority.issue("proxy")
    pem = folder / "both.pem"
    pem.write_bytes(certificate.read_bytes() + key.read_bytes())
    text = configuration(program, under_path)
    if without:
        text = re.sub(rf"^.*{without}.*\n", "", text, flags=re.MULTILINE)
    for written, here in {
        "127.0.0.1:8000": f"127.0.0.1:{dashboard_port}",
        "/etc/ssl/masks.pem": str(certificate),
        "/etc/ssl/masks.key": str(key),
        "/etc/haproxy/masks.pem": str(pem),
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "bind :443": f"bind 127.0.0.1:{port}",
    }.items():
        text = text.replace(written, here)
    if program == "nginx":
        user = "user root;" if os.geteuid() == 0 else ""
        text = NGINX.format(user=user, folder=folder, server=text)
    file = folder / f"{program}.conf"
    file.write_text(text)
    command = [path, "-p", str(folder), "-c"] if program == "nginx" else [path, "-db", "-f"]
    process = subprocess.Popen([*command, str(file)], stderr=subprocess.PIPE, text=True)
    try:
        assert eventually(lambda: process.poll() is not None or _answers(port))
        if process.poll() is not None:
            assert process.stderr is not None
            raise AssertionError(process.stderr.read())
        yield ReverseProxy(port, authority.file, "/maskwatch" if under_path else "")
    finally:
        process.terminate()
        process.wait(30)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False
