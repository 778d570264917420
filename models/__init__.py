"""The networks' files, and the classifier that says how a mask is worn.

`files` finds, verifies and downloads network files; `mask_classifier` is the seam that the
worker sees. `coco` reads labelled photographs, `training` makes the weights that ship in
`weights/` from them, `evaluation` measures, `reporting` is what reports are made of.

Whatever imports a neural runtime imports this package first: `quiet` tells them to keep to
themselves.
"""

from models.quiet import keep_quiet

keep_quiet()
