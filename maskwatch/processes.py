"""Child processes that are restarted when they end, and that end with their parent."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import Final

from runtime.backoff import Backoff
from runtime.stopping import die_with_parent

CONFIGURATION_ERROR: Final = 2
"""Exit status of a stage with a faulty configuration: restarting it would not help."""

_log = logging.getLogger(__name__)


class StageProcess:
    """One stage's process, restarted with a growing pause whenever it ends by itself."""

    FIRST_PAUSE_S: Final = 0.5
    LONGEST_PAUSE_S: Final = 10.0
    STEADY_AFTER_S: Final = 5.0
    """After this long, a process did not end because of its configuration: the pause is short."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.name = name
        self._command = list(command)
        self._environment = dict(environment)
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at_s = 0.0
        self._backoff = Backoff(self.FIRST_PAUSE_S, self.LONGEST_PAUSE_S)
        self._due_at_s = 0.0

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the process."""
        self._process = subprocess.Popen(
            self._command,
            env={**os.environ, **self._environment},
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches us alone; we end the stages in order
            preexec_fn=die_with_parent,
        )
        self._started_at_s = time.monotonic()

    def keep_running(self) -> int | None:
        """Restart the process if it ended and its pause has passed.

        Returns its exit status if it just ended, otherwise None.
        """
        now_s = time.monotonic()
        if self._process is None:
            if now_s >= self._due_at_s:
                self.start()
            return None
        status = self._process.poll()
        if status is None:
            return None
        if now_s - self._started_at_s > self.STEADY_AFTER_S:
            self._backoff.reset()
        pause_s = self._backoff.next_s()
        _log.warning("%s ended with status %d; restarting it in %.1f s", self.name, status, pause_s)
        _kill_group(self._process.pid)
        self._process = None
        self._due_at_s = now_s + pause_s
        return status

    def terminate(self) -> None:
        """Ask the process to end."""
        if self._process and self._process.poll() is None:
            self._process.terminate()

    def finish(self, deadline_s: float) -> None:
        """Wait until `deadline_s` (monotonic) for the process to end, then kill its group."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, deadline_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            _log.warning("%s did not end in time and was killed", self.name)
        _kill_group(self._process.pid)
        self._process.wait()
        self._process = None


def _kill_group(leader: int) -> None:
    # A stage's own children (readers, web workers) share its group: nothing is left behind.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
