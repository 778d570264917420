"""Faces, people, their verdicts, and how they are added up."""
