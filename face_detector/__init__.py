"""Finding faces in frames: one protocol, several networks behind it.

Start at `detection.FaceDetector` for the promise and `loading.load_detector` for a detector.
"""

import models  # noqa: F401 - before any neural runtime: it keeps them quiet
