"""The networks' files, and the classifier that says how a mask is worn.

`files` finds, verifies and downloads network files; `mask_classifier` is the seam that the
worker sees; `training` makes the weights that ship in `weights/`.
"""
