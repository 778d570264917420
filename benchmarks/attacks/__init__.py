"""Attacks on the running product, from outside, one file a subject.

Each file is a command: `python -m benchmarks.attacks.SUBJECT [--checkout OTHER]`. It prints a line
of JSON for each attack. With `--checkout` it attacks the product of another checkout, to show what
an attack did before it was mended. `python -m benchmarks.attack_corpus` runs them all.
"""
