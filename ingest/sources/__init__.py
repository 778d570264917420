"""Cameras, webcams and files, opened and decoded."""
