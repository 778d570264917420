"""`maskwatch train | refine | evaluate | export`: one group each, with a command for every network.

Commands import their packages when they run: `maskwatch --help` must not load TensorFlow.
"""

from __future__ import annotations

import click

from maskwatch import classifier_commands, detector_commands


@click.group()
def train() -> None:
    """Train a network on labelled photographs."""


@click.group()
def refine() -> None:
    """Teach a trained network more, from a part of it that stays as it is."""


@click.group()
def evaluate() -> None:
    """Measure a network on labelled photographs and write a report with tables and pictures."""


@click.group()
def export() -> None:
    """Turn a trained checkpoint into the files that workers load."""


train.add_command(classifier_commands.train, "classifier")
train.add_command(detector_commands.train, "detector")
refine.add_command(classifier_commands.refine, "classifier")
evaluate.add_command(classifier_commands.evaluate, "classifier")
evaluate.add_command(detector_commands.evaluate, "detector")
evaluate.add_command(detector_commands.pipeline, "pipeline")
export.add_command(classifier_commands.export, "classifier")
export.add_command(detector_commands.export, "detector")
