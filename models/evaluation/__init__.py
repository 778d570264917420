"""Measures the mask classifier: figures, calibration, and a report."""
