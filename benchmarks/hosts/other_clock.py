"""A process whose wall clock is off, and whose steady clock is not.

Linux shares one wall clock among all namespaces, and libfaketime (0.9.10) also bends waits that go
by the steady clock: `time.sleep` fails under it. So the interpreter is told at its start, by a
`sitecustomize` module in a folder of its own, to give another `time.time`; children get it, too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

OFF_S: Final = "OTHER_CLOCK_OFF_S"
_MODULE: Final = f"""
import os, time

def _ahead(of, by):
    return lambda: of() + by

_off_s = float(os.environ.get("{OFF_S}", "0"))
time.time = _ahead(time.time, _off_s)
time.time_ns = _ahead(time.time_ns, round(_off_s * 1e9))
"""


def other_clock(off_s: float, folder: Path) -> dict[str, str]:
    """The environment of a Python whose wall clock is ahead by so many seconds.

    `folder` gets the module; it is to be there as long as processes are started.
    """
    if not off_s:
        return {}
    (folder / "sitecustomize.py").write_text(_MODULE)
    return {"PYTHONPATH": str(folder), OFF_S: str(off_s)}
