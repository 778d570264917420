"""`maskwatch train | evaluate | export`: one group each; every network adds its own command.

What a command needs is imported inside of it: `maskwatch --help` must not load TensorFlow.
"""

from __future__ import annotations

import click


@click.group()
def train() -> None:
    """Train a network of Maskwatch's on labelled photographs."""


@click.group()
def evaluate() -> None:
    """Measure a network on labelled photographs: a report with tables and pictures."""


@click.group()
def export() -> None:
    """Turn a trained checkpoint into the files that serve."""
