"""Maskwatch's people in real clips against the people that an eye sees there.

`python -m benchmarks.truth` is the measurement, `python -m benchmarks.truth.looks` the record of
every look at every face, `benchmarks.scenes.clip_truth` the truth.
"""
