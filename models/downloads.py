"""Downloads published network files, and never leaves an incomplete or wrong file in place."""

from __future__ import annotations

import hashlib
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import urlsplit

from contract.errors import ModelChecksumError, ModelError, ModelNotFoundError, SettingsError
from contract.redaction import without_login
from models.files import NetworkFile, known_file
from runtime.own_files import DISK_FULL

CHUNK_BYTES: Final = 1 << 16
TIMEOUT_S: Final = 30.0

Progress = Callable[[int, int], None]
"""Called with (bytes so far, bytes in all) after each chunk."""


def pull(
    name: str,
    target_dir: Path,
    *,
    base_url: str | None = None,
    progress: Progress | None = None,
) -> Path:
    """Download a known network file into a folder and return its path.

    `base_url` is a web folder with the files under their own names, for hosts that cannot reach
    the publishers. Raises ModelNotFoundError if the server lacks the file, ModelChecksumError if
    the server sends another file, ModelError if the server cannot be reached.
    """
    file = known_file(name)
    url = _url(file, base_url)
    target_dir.mkdir(parents=True, exist_ok=True)
    target = target_dir / file.file_name
    with tempfile.NamedTemporaryFile(dir=target_dir, prefix=".pull-", delete=False) as part:
        part_path = Path(part.name)
        try:
            actual = _download(url, part, file, progress)
            _check(actual, file, url)
            part.close()
            part_path.chmod(0o644)
            part_path.replace(target)
        finally:
            part_path.unlink(missing_ok=True)
    return target


def _url(file: NetworkFile, base_url: str | None) -> str:
    url = f"{base_url.rstrip('/')}/{file.file_name}" if base_url else file.url
    if url is None:
        raise ModelNotFoundError(
            f"nobody publishes {file.name!r} ({file.file_name}); put it into the models folder"
        )
    if urlsplit(url).scheme not in ("http", "https"):
        raise SettingsError(f"models are pulled over http or https, not from {without_login(url)}")
    return url


def _download(url: str, part: IO[bytes], file: NetworkFile, progress: Progress | None) -> str:
    """Write the file and return its sha256; stops one byte past the published size."""
    digest = hashlib.sha256()
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:  # noqa: S310 - see _url
            _copy(answer, part, digest, file.size_bytes, progress)
    except urllib.error.HTTPError as error:
        kind = ModelNotFoundError if error.code in (404, 410) else ModelError
        raise kind(f"{without_login(url)} answered {error.code} {error.reason}") from error
    except OSError as error:
        if error.errno in DISK_FULL:
            raise
        raise ModelError(f"{without_login(url)} cannot be downloaded: {error}") from error
    return digest.hexdigest()


def _copy(answer: Any, part: IO[bytes], digest: Any, size: int, progress: Progress | None) -> None:
    done = 0
    while done <= size:
        chunk = answer.read(min(CHUNK_BYTES, size + 1 - done))
        if not chunk:
            break
        part.write(chunk)
        digest.update(chunk)
        done += len(chunk)
        if progress:
            progress(done, size)


def _check(actual: str, file: NetworkFile, url: str) -> None:
    if actual != file.sha256:
        raise ModelChecksumError(
            f"{without_login(url)} is not the published {file.name!r}: expected sha256 "
            f"{file.sha256} and {file.size_bytes} bytes, found {actual}; nothing was kept"
        )
