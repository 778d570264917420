"""Evaluates alert rules and tells people: the stage behind `maskwatch alerts`."""
