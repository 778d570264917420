"""`maskwatch train | evaluate | export`: one group each, with a command for every network.

What a command needs is imported inside of it: `maskwatch --help` must not load TensorFlow.
"""

from __future__ import annotations

import click

from maskwatch import classifier_commands


@click.group()
def train() -> None:
    """Train a network of Maskwatch's on labelled photographs."""


@click.group()
def evaluate() -> None:
    """Measure a network on labelled photographs: a report with tables and pictures."""


@click.group()
def export() -> None:
    """Turn a trained checkpoint into the files that serve."""


train.add_command(classifier_commands.train, "classifier")
evaluate.add_command(classifier_commands.evaluate, "classifier")
export.add_command(classifier_commands.export, "classifier")
