"""Connecting to Redis over TLS: trusted authorities, and explanations of TLS errors."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from contract.errors import SettingsError

_EXPIRED, _NOT_YET = 10, 9
_OTHER_NAMES: Final = {62, 63, 64}
_UNKNOWN: Final = {2, 18, 19, 20, 21}
"""OpenSSL's error numbers for certificates of unknown authorities (x509_vfy.h)."""


def with_tls(url: str, ca: Path | None, certificate: Path | None, key: Path | None) -> str:
    """Return `url` with its TLS files, as options of redis-py.

    Raises:
        SettingsError: the address has no TLS, or a file is missing or has other content.
    """
    files = {"CA": ca, "CERTIFICATE": certificate, "KEY": key}
    given = {name: path for name, path in files.items() if path is not None}
    if not given:
        return url
    if not url.startswith("rediss"):
        name = next(iter(given))
        raise SettingsError(
            f"MASKWATCH_REDIS_{name}_FILE is set, but MASKWATCH_REDIS_URL has no TLS; use rediss://"
        )
    _require_usable(given)
    options = {"CA": "ssl_ca_certs", "CERTIFICATE": "ssl_certfile", "KEY": "ssl_keyfile"}
    parts = urlsplit(url)
    query = [parts.query] if parts.query else []
    query.append(urlencode({options[name]: str(path) for name, path in given.items()}))
    return urlunsplit(parts._replace(query="&".join(query)))


def _require_usable(given: dict[str, Path]) -> None:
    # Check once, now: redis-py would read them for each connection and explain less.
    context = ssl.create_default_context()
    try:
        if "CA" in given:
            name = "CA"
            context.load_verify_locations(given["CA"])
        if "CERTIFICATE" in given:
            name = "CERTIFICATE"
            context.load_cert_chain(given["CERTIFICATE"], given.get("KEY"))
        elif "KEY" in given:
            raise SettingsError(
                "MASKWATCH_REDIS_KEY_FILE is set without MASKWATCH_REDIS_CERTIFICATE_FILE"
            )
    except OSError as error:  # of which ssl.SSLError is one
        words = "contains no matching certificate or key" if isinstance(error, ssl.SSLError) else ""
        words = words or f"cannot be read: {error.strerror}"
        raise SettingsError(f"MASKWATCH_REDIS_{name}_FILE={given[name]} {words}") from None


def require_checked(url: str) -> str:
    """Return `url`; raise `ValueError` if it switches certificate checks off."""
    query = parse_qs(urlsplit(url).query, keep_blank_values=True)
    lax = query.get("ssl_cert_reqs", ["required"]) != ["required"]
    lax = lax or query.get("ssl_check_hostname", ["true"])[-1].lower() not in {"true", "1", "yes"}
    if lax:
        raise ValueError(
            "TLS without checking the certificate protects against nobody; remove ssl_cert_reqs "
            "and ssl_check_hostname, and set MASKWATCH_REDIS_CA_FILE to your authority"
        )
    return url


def tls_fault(error: BaseException) -> ssl.SSLError | None:
    """Return the TLS error behind `error`, or None."""
    found: BaseException | None = error
    seen: set[int] = set()  # errors that are raised again can form a circle
    while found is not None and id(found) not in seen:
        if isinstance(found, ssl.SSLError):
            return found
        seen.add(id(found))
        found = found.__cause__ or found.__context__
    return None


def tls_words(fault: ssl.SSLError) -> str:
    """Explain the error and what to do; continues "Redis at ...": "shows a certificate ..."."""
    if isinstance(fault, ssl.SSLCertVerificationError):
        code = fault.verify_code
        if code in {_EXPIRED, _NOT_YET}:
            when = "has expired" if code == _EXPIRED else "is not valid yet"
            return f"shows a certificate that {when}; give Redis a new one, or correct the clock"
        if code in _OTHER_NAMES:
            return (
                "shows a certificate for another name; use that name in "
                "MASKWATCH_REDIS_URL, or give Redis a certificate for this one"
            )
        if code in _UNKNOWN:
            return (
                "shows a certificate of an authority that is not trusted here; name its file in "
                "MASKWATCH_REDIS_CA_FILE"
            )
        return f"shows a certificate that cannot be trusted: {fault.verify_message}"
    reason = str(fault.reason or "EOF")
    certificate = "MASKWATCH_REDIS_CERTIFICATE_FILE and MASKWATCH_REDIS_KEY_FILE"
    if "CERTIFICATE_REQUIRED" in reason or "HANDSHAKE_FAILURE" in reason:
        return f"asks for a client certificate; set {certificate}"
    if "EOF" in reason:
        # A TLS 1.3 server refuses after our handshake, and may close before we read its alert.
        return f"breaks off TLS, probably to ask for a client certificate; set {certificate}"
    return f"cannot agree on TLS: {reason.replace('_', ' ').lower()}"
