"""Tells the neural runtimes, before they are imported, to call nobody and to write nothing.

They act as they are imported (docs/adr/0039). ONNX Runtime (from 1.29) writes a device id and an
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
    # Below what is no folder, so that nothing can be written: Keras minds no error there, and
    # Matplotlib takes a temporary folder that it removes.
    "KERAS_HOME": f"{os.devnull}/keras",
    "MPLCONFIGDIR": f"{os.devnull}/matplotlib",
}


def keep_quiet() -> None:
    """Set it for this process and those it starts, whatever was set before."""
    os.environ.update(ENVIRONMENT)
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it would say so each time
