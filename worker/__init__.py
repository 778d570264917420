"""Turns sampled frames into faces, verdicts and people.

Read, decode, detect, track, classify, commit. A worker owns its cameras by lease; every
frame's outcome is one atomic, fenced commit.
"""
