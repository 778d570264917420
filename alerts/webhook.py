"""Posts a message to a web address, signed as Standard Webhooks specifies.

https://github.com/standard-webhooks/standard-webhooks (v1 signatures: HMAC-SHA256 over
`id.timestamp.body`). Redirects are not followed: the signature is for this address alone.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
import ssl
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final
from urllib.parse import urlsplit

from alerts.addresses import connect
from contract.alerts.channels import SECRET_PREFIX, WebhookChannel
from contract.errors import ChannelError

TIMEOUT_S: Final = 10.0
"""Limit for connecting and for each read. RQ limits the attempt as a whole."""
USER_AGENT: Final = "Maskwatch"


def post(channel: WebhookChannel, message_id: str, body: bytes, at_s: float) -> str:
    """Post `body` and return the receiver's answer in plain words.

    Raises:
        ChannelError: the receiver did not accept it; says why.
    """
    parts = urlsplit(channel.url)
    connection = _connection(parts.scheme, str(parts.hostname), parts.port)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", path, body, _headers(channel.secret, message_id, body, at_s))
        status = connection.getresponse().status
    except ssl.SSLCertVerificationError as error:
        raise ChannelError(
            f"the receiver's certificate is not trusted: {error.verify_message}"
        ) from None
    except ConnectionRefusedError:
        raise ChannelError("no receiver listens there: connection refused") from None
    except TimeoutError:
        raise ChannelError(f"no answer within {TIMEOUT_S:g} s") from None
    except (OSError, HTTPException) as error:
        raise ChannelError(f"the connection failed: {_reason(error)}") from None
    finally:
        connection.close()
    return _judge(status)


def sign(secret: str, message_id: str, body: bytes, at_s: float) -> str:
    """The value of the header `webhook-signature`."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{message_id}.{int(at_s)}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def _headers(secret: str, message_id: str, body: bytes, at_s: float) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at_s)),
        "webhook-signature": sign(secret, message_id, body, at_s),
    }


def _judge(status: int) -> str:
    if 200 <= status < 300:
        return f"Accepted: the receiver answered {status}."
    if 300 <= status < 400:
        raise ChannelError(f"the receiver answered {status}; Maskwatch does not follow redirects")
    raise ChannelError(f"the receiver answered {status}")


def _connection(scheme: str, host: str, port: int | None) -> HTTPConnection:
    # Name the port: otherwise the library takes the end of an IPv6 address for one.
    if scheme == "https":
        port = port or HTTPSConnection.default_port
        return _CheckedHTTPS(host, port, timeout=TIMEOUT_S, context=ssl.create_default_context())
    return _CheckedHTTP(host, port or HTTPConnection.default_port, timeout=TIMEOUT_S)


class _CheckedHTTP(HTTPConnection):
    """Connects to an address that was checked."""

    def connect(self) -> None:
        self.sock: socket.socket = connect(self.host, self.port, TIMEOUT_S)


class _CheckedHTTPS(HTTPSConnection):
    """Connects with TLS to an address that was checked; the certificate must match the name."""

    def connect(self) -> None:
        plain = connect(self.host, self.port, TIMEOUT_S)
        context: ssl.SSLContext = self._context  # type: ignore[attr-defined]
        self.sock: socket.socket = context.wrap_socket(plain, server_hostname=self.host)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
