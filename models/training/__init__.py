"""How the weights in `models/weights` are made: `maskwatch train classifier`, then `export`.

`train` is the whole of it; `faces` what it learns from, `augmentation` how that is varied,
`runs` what survives a kill. Nothing that serves imports from here.
"""
