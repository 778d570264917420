"""Stores uploaded recordings: files for some hours, and their reports."""

from __future__ import annotations

import logging
import secrets
import time
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from redis import Redis

from bus.keys import RECORDINGS, recording
from contract.errors import MessageError
from contract.messages import to_json
from contract.pictures.recordings import _OUR_FILE, Recording

ANALYSE_JOB: Final = "worker.uploads.recording_jobs.analyse_recording"


_log = logging.getLogger(__name__)


class RecordingStore:
    """Records in Redis and files in `folder`."""

    def __init__(self, redis: Redis, folder: Path, kept_s: int) -> None:
        self._redis = redis
        self._folder = folder
        self._kept_s = kept_s

    def create(self, owner: str, name: str) -> Recording:
        """Create a recording before its file is uploaded."""
        now_s = time.time()
        made = Recording(
            secrets.token_hex(12), owner, name, now_s, kept_until_s=now_s + self._kept_s
        )
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._redis.set(recording(made.id), to_json(asdict(made)), ex=self._kept_s)
        return made

    def change(self, made: Recording, **changes: Any) -> Recording | None:
        """Change some fields; return None, and write nothing, if the recording was removed."""
        changed = replace(made, **changes)
        name = recording(made.id)
        written = self._redis.set(name, to_json(asdict(changed)), xx=True, keepttl=True)
        return changed if written else None

    def get(self, recording_id: str) -> Recording | None:
        """Return one recording of any owner."""
        raw = self._redis.get(recording(recording_id))
        return self._read(raw) if raw else None

    def all(self) -> list[Recording]:
        """Return every recording, newest first."""
        names = list(self._redis.scan_iter(RECORDINGS))
        records: list[Any] = self._redis.mget(names) if names else []
        found = (self._read(raw) for raw in records if raw)
        return sorted((one for one in found if one), key=lambda one: -one.created_at_s)

    @staticmethod
    def _read(raw: Any) -> Recording | None:
        try:
            return Recording.decode(raw)
        except MessageError as error:
            _log.error("%s; it is left out", error)
            return None

    def seconds_left(self, recording_id: str) -> int:
        """Return the seconds until the recording expires."""
        return max(0, int(self._redis.ttl(recording(recording_id))))

    def given_file(self, made: Recording) -> Path:
        """Return the path of the uploaded file."""
        return self._file(made, "given")

    def annotated_file(self, made: Recording) -> Path:
        """Return the path of the annotated MP4 of a finished recording."""
        return self._file(made, "mp4")

    def _file(self, made: Recording, kind: str) -> Path:
        return self._folder / f"maskwatch-{made.id}-{made.kept_until_s:.0f}.{kind}"

    def remove(self, made: Recording) -> None:
        """Delete the record and both files."""
        self._redis.delete(recording(made.id))
        self.remove_files(made)

    def remove_files(self, made: Recording) -> None:
        """Delete both files."""
        for path in (self.given_file(made), self.annotated_file(made)):
            path.unlink(missing_ok=True)

    def sweep(self) -> int:
        """Delete our expired files; return how many. Other files stay."""
        now_s, gone = time.time(), 0
        for path in self._folder.glob("maskwatch-*"):
            ours = _OUR_FILE.fullmatch(path.name)
            if ours and float(ours[1]) < now_s and path.is_file() and not path.is_symlink():
                path.unlink(missing_ok=True)
                gone += 1
        return gone

    def adopt(self) -> None:
        """Rename files of an earlier version, whose names have no expiry.

        Their records identify them, and exist for as long.
        """
        for made in self.all():
            if made.kept_until_s:
                continue
            until_s = time.time() + self.seconds_left(made.id)
            adopted = self.change(made, kept_until_s=until_s)
            for kind in ("given", "mp4"):
                with suppress(FileNotFoundError):
                    (self._folder / f"{made.id}.{kind}").rename(self._file(adopted or made, kind))
