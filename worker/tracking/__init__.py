"""Faces over time, from detections to people."""
