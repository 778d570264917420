"""Reaching Redis over TLS: whom to trust, and what is wrong when nobody is trusted."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from contract.errors import SettingsError

_EXPIRED, _NOT_YET = 10, 9
_OTHER_NAMES: Final = {62, 63, 64}
_UNKNOWN: Final = {2, 18, 19, 20, 21}
"""OpenSSL's numbers of what a certificate is refused for (x509_vfy.h)."""


def with_tls(url: str, ca: Path | None, certificate: Path | None, key: Path | None) -> str:
    """Return `url` with the files that its TLS needs, as redis-py takes them.

    Raises:
        SettingsError: the address has no TLS, or a file is not there or holds something else.
    """
    files = {"CA": ca, "CERTIFICATE": certificate, "KEY": key}
    given = {name: path for name, path in files.items() if path is not None}
    if not given:
        return url
    if not url.startswith("rediss"):
        name = next(iter(given))
        raise SettingsError(
            f"MASKWATCH_REDIS_{name}_FILE is set, and MASKWATCH_REDIS_URL has no TLS; write rediss://"
        )
    _require_usable(given)
    options = {"CA": "ssl_ca_certs", "CERTIFICATE": "ssl_certfile", "KEY": "ssl_keyfile"}
    parts = urlsplit(url)
    query = [parts.query] if parts.query else []
    query.append(urlencode({options[name]: str(path) for name, path in given.items()}))
    return urlunsplit(parts._replace(query="&".join(query)))


def _require_usable(given: dict[str, Path]) -> None:
    # Once, now: redis-py would read them with each connection, and say less.
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
        words = "holds no certificate or key that fits" if isinstance(error, ssl.SSLError) else ""
        words = words or f"cannot be read: {error.strerror}"
        raise SettingsError(f"MASKWATCH_REDIS_{name}_FILE={given[name]} {words}") from None


def require_checked(url: str) -> str:
    """Return `url`; raise `ValueError` when it asks for TLS with whoever answers."""
    query = parse_qs(urlsplit(url).query, keep_blank_values=True)
    lax = query.get("ssl_cert_reqs", ["required"]) != ["required"]
    lax = lax or query.get("ssl_check_hostname", ["true"])[-1].lower() not in {"true", "1", "yes"}
    if lax:
        raise ValueError(
            "a certificate or its name that is not checked protects from nobody; leave out "
            "ssl_cert_reqs and ssl_check_hostname, and name your authority in "
            "MASKWATCH_REDIS_CA_FILE"
        )
    return url


def tls_fault(error: BaseException) -> ssl.SSLError | None:
    """What was wrong with TLS, where an error comes from that."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, ssl.SSLError):
        found = found.__cause__ or found.__context__
    return found


def tls_words(fault: ssl.SSLError) -> str:
    """Say it, and what to do; goes on from a name: "Redis at ... shows a certificate ..."."""
    if isinstance(fault, ssl.SSLCertVerificationError):
        code = fault.verify_code
        if code in {_EXPIRED, _NOT_YET}:
            when = "has expired" if code == _EXPIRED else "is not valid yet"
            return f"shows a certificate that {when}; give Redis a new one, or correct the clock"
        if code in _OTHER_NAMES:
            return (
                "shows a certificate for another name; use the name that is in it in "
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
        return f"asks for a certificate of ours; set {certificate}"
    if "EOF" in reason:
        # In TLS 1.3 a server says so after our side is done, and may be gone before it is heard.
        return f"breaks off TLS, as one does that asks for a certificate of ours; set {certificate}"
    return f"does not agree with us on TLS: {reason.replace('_', ' ').lower()}"
