"""The networks' files, and the classifier that says how a mask is worn.

`files` finds, verifies and downloads network files. Workers use the interface in
`mask_classifier`. `coco` reads labelled photographs, `training` makes the weights in `weights/`
from them, `evaluation` measures networks, and `reporting` has the parts of reports.

Import this package before any neural runtime, because `quiet` switches their telemetry off.
"""

from models.quiet import keep_quiet

keep_quiet()
