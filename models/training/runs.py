"""A training run's folder: what was learnt so far, whole after any kill, and its curves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from contract.errors import CheckpointError

FORMAT: Final = "maskwatch-training/1"
STATE_NAME: Final = "state.json"
CURVES_NAME: Final = "learning_curves.png"


@dataclass
class TrainingRun:
    """The state of a run in `folder`: how many epochs are done, and what each came to.

    `settings` are what makes two runs different (recipe, data, seed); a folder is resumed
    only with the same. Every file is written under another name first and then renamed, and
    `state.json` last, so that a kill at any moment leaves the newest whole epoch in place.
    """

    folder: Path
    settings: dict[str, Any]
    epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    _weights_name: str = ""

    @classmethod
    def open(cls, folder: Path, settings: Mapping[str, Any]) -> TrainingRun:
        """Begin a run, or go on with the one in the folder.

        Raises CheckpointError if the folder's state is damaged or of other settings.
        """
        wanted = json.loads(json.dumps(settings))
        state = folder / STATE_NAME
        if not state.exists():
            return cls(folder, wanted)
        record = _read_state(state)
        differing = [k for k in {*wanted, *record["settings"]} if _differ(k, wanted, record)]
        if differing:
            key = sorted(differing)[0]
            raise CheckpointError(
                f"{state} belongs to a run with {key} {record['settings'].get(key)!r}, not "
                f"{wanted.get(key)!r}; go on with the same settings, or train into another folder"
            )
        run = cls(folder, wanted, record["epoch"], record["history"], record["weights"])
        _check_whole(folder / run._weights_name, record["sha256"])
        return run

    def restore(self, model: Any) -> None:
        """Load the newest epoch's weights and optimizer state into a compiled model."""
        if not self.epoch:
            return
        path = self.folder / self._weights_name
        model.optimizer.build(model.trainable_variables)
        try:
            model.load_weights(path)
        except (ValueError, OSError, KeyError) as error:
            raise CheckpointError(
                f"{path} does not fit this network ({error}); remove {self.folder} to begin again"
            ) from error

    def save(self, model: Any, figures: Mapping[str, float]) -> None:
        """Keep the model, with its optimizer's state, as the end of the next epoch."""
        self.folder.mkdir(parents=True, exist_ok=True)
        name = f"epoch-{self.epoch + 1:04d}.weights.h5"
        part = self.folder / f"part-{name}"
        model.save_weights(part)
        part.replace(self.folder / name)
        old, self._weights_name = self._weights_name, name
        self.epoch += 1
        self.history.append({key: float(value) for key, value in figures.items()})
        self._write_state()
        if old:
            (self.folder / old).unlink(missing_ok=True)

    def draw_curves(self) -> Path | None:
        """Draw every figure of the history over the epochs; None before the first."""
        from models.reporting.figures import save_curves

        if not self.history:
            return None
        path = self.folder / CURVES_NAME
        names = sorted({key for row in self.history for key in row})
        curves = {
            name: (
                [i + 1 for i, row in enumerate(self.history) if name in row],
                [row[name] for row in self.history if name in row],
            )
            for name in names
        }
        save_curves(path, curves, title="Learning curves", x_label="epoch", y_label="")
        return path

    def _write_state(self) -> None:
        record = {
            "format": FORMAT,
            "settings": self.settings,
            "epoch": self.epoch,
            "history": self.history,
            "weights": self._weights_name,
            "sha256": _sha256(self.folder / self._weights_name),
        }
        part = self.folder / f"part-{STATE_NAME}"
        part.write_text(json.dumps(record, indent=1))
        part.replace(self.folder / STATE_NAME)


def _differ(key: str, wanted: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    return bool(wanted.get(key) != record["settings"].get(key))


def _read_state(state: Path) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads(state.read_text(encoding="utf-8"))
        if record["format"] != FORMAT:
            raise ValueError(f"format {record['format']!r}, expected {FORMAT!r}")
        for key in ("settings", "epoch", "history", "weights", "sha256"):
            record[key]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{state} is not the state of a training run ({error!r}); remove {state.parent} to "
            "begin again"
        ) from error
    return record


def _check_whole(path: Path, sha256: str) -> None:
    if not path.is_file():
        raise CheckpointError(f"{path} is missing; remove {path.parent} to begin again")
    if _sha256(path) != sha256:
        raise CheckpointError(
            f"{path} is damaged: expected sha256 {sha256}, found {_sha256(path)} in "
            f"{path.stat().st_size} bytes; put the whole file back, or remove {path.parent} to "
            "begin again"
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
