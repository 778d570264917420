"""Faces, people, their verdicts, and their totals."""
