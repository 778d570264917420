"""Measuring face detectors on labelled photographs, side by side.

Start at `report.evaluate_detectors`; what counts as found is in `accuracy`.
"""
