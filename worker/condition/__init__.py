"""Judges whether a camera's picture is reliable."""
