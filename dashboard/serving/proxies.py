"""Believes proxies about who asks, and nobody else.

Anybody can send `X-Forwarded-For`. Only what comes from an address that was set as a proxy's
(`MASKWATCH_PROXY_ADDRESSES`) is read: whose request it is, and the scheme and host that the
browser used.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Final

from werkzeug.middleware.proxy_fix import ProxyFix

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HOPS: Final = 10
"""Most proxies in a row that are followed."""


class Proxies:
    """The addresses of proxies in front of the dashboard."""

    def __init__(self, networks: str) -> None:
        """`networks`: addresses and networks, with commas between; none: there is no proxy."""
        parts = filter(None, map(str.strip, networks.split(",")))
        self._networks = [ip_network(part, strict=False) for part in parts]

    def __contains__(self, address: str) -> bool:
        found = _parse(address)
        return found is not None and any(found in network for network in self._networks)

    def client(self, peer: str, forwarded_for: str) -> str:
        """Who asks, where `peer` is connected to us and sent this `X-Forwarded-For`.

        Each proxy adds, at the end, the address it was asked by. So that of the last one that is no
        proxy of ours is the client's; what stands before it, the client may have made up.
        """
        client = peer
        for entry in reversed(forwarded_for.rsplit(",", HOPS)[-HOPS:]):
            found = _parse(entry.strip())
            if client not in self or found is None:
                break
            client = str(found)
        return client


class BelieveProxies:
    """WSGI middleware: what a proxy of ours says of a request is true."""

    def __init__(self, app: WSGIApplication, proxies: Proxies) -> None:
        self._app = app
        self._proxies = proxies
        self._from_proxy = ProxyFix(app, x_for=0, x_proto=1, x_host=1)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        peer = environ.get("REMOTE_ADDR", "")
        if peer not in self._proxies:
            return self._app(environ, start_response)
        forwarded_for = environ.get("HTTP_X_FORWARDED_FOR", "")
        environ["REMOTE_ADDR"] = self._proxies.client(peer, forwarded_for)
        return self._from_proxy(environ, start_response)


def _parse(address: str) -> IPv4Address | IPv6Address | None:
    """An address as servers write it; one of IPv4 that came over an IPv6 socket as what it is."""
    try:
        found = ip_address(address)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
