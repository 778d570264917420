"""Evaluates alert rules and notifies people: the stage behind `maskwatch alerts`."""
