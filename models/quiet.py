"""Keeps neural runtimes from calling out and from writing files. Call it before their import.

They act during the import (docs/adr/0039). ONNX Runtime (from 1.29) writes a device id and an
event database below `~/.cache`, and then looks up its maker's collector of events; its own
`disable_telemetry_events` comes too late for both. Keras writes `~/.keras/keras.json`, and imports
Matplotlib, which keeps a list of fonts below `~/.cache`.
"""

from __future__ import annotations

import logging
import os
from typing import Final

ENVIRONMENT: Final = {
    "ORT_DISABLE_TELEMETRY": "1",
    # A path below a file, so that nothing can be written. Keras ignores the error, and Matplotlib
    # uses a temporary folder, which it removes.
    "KERAS_HOME": f"{os.devnull}/keras",
    "MPLCONFIGDIR": f"{os.devnull}/matplotlib",
}


def keep_quiet() -> None:
    """Set the variables for this process and its children, and override earlier values."""
    os.environ.update(ENVIRONMENT)
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it would say so each time
