"""A training run's folder: resumed where it was, and honest about damage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contract.errors import CheckpointError
from models.training.runs import STATE_NAME, TrainingRun

keras = pytest.importorskip("keras", reason="needs Keras, which is not installed")

SETTINGS = {"seed": 1, "sources": ("a", "b")}


def compiled(width: int = 3) -> Any:
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(width)])
    model.compile(keras.optimizers.Adam(0.1), "mse")
    return model


def trained(steps: int, model: Any) -> Any:
    for _ in range(steps):
        model.train_on_batch(np.ones((4, 2)), np.zeros((4, 3)))
    return model


def saved(folder: Path) -> Any:
    model = trained(3, compiled())
    TrainingRun.open(folder, SETTINGS).save(model, {"loss": 0.5})
    return model


def test_a_resumed_run_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    straight = trained(2, saved(tmp_path))

    run = TrainingRun.open(tmp_path, SETTINGS)
    resumed = compiled()
    run.restore(resumed)
    trained(2, resumed)

    assert (run.epoch, run.history) == (1, [{"loss": 0.5}])
    for there, here in zip(straight.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_allclose(here, there, atol=1e-6)


def test_only_the_newest_epochs_weights_are_kept(tmp_path: Path) -> None:
    run = TrainingRun.open(tmp_path, SETTINGS)
    for _ in range(3):
        run.save(compiled(), {})

    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "epoch-0003.weights.h5",
        STATE_NAME,
    ]


def test_a_kill_while_saving_leaves_the_epoch_before(tmp_path: Path) -> None:
    saved(tmp_path)
    (tmp_path / "part-epoch-0002.weights.h5").write_bytes(b"half")
    (tmp_path / f"part-{STATE_NAME}").write_text('{"epo')

    assert TrainingRun.open(tmp_path, SETTINGS).epoch == 1


def test_truncated_weights_are_named_with_the_mend(tmp_path: Path) -> None:
    saved(tmp_path)
    weights = tmp_path / "epoch-0001.weights.h5"
    weights.write_bytes(weights.read_bytes()[:-100])

    with pytest.raises(CheckpointError, match=r"epoch-0001\.weights\.h5 is damaged.*begin again"):
        TrainingRun.open(tmp_path, SETTINGS)
    weights.unlink()
    with pytest.raises(CheckpointError, match=r"epoch-0001\.weights\.h5 is missing"):
        TrainingRun.open(tmp_path, SETTINGS)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "other"}'])
def test_a_damaged_state_is_named_with_the_mend(tmp_path: Path, text: str) -> None:
    (tmp_path / STATE_NAME).write_text(text)

    with pytest.raises(CheckpointError, match=r"state\.json is not the state.*begin again"):
        TrainingRun.open(tmp_path, SETTINGS)


def test_another_runs_folder_is_refused_with_what_differs(tmp_path: Path) -> None:
    saved(tmp_path)

    with pytest.raises(CheckpointError, match=r"seed 1, not 2.*another folder"):
        TrainingRun.open(tmp_path, SETTINGS | {"seed": 2})


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    saved(tmp_path)
    run = TrainingRun.open(tmp_path, SETTINGS)

    with pytest.raises(CheckpointError, match="does not fit this network"):
        run.restore(compiled(width=4))


def test_curves_are_drawn_of_what_was_recorded(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs matplotlib, which is not installed")
    saved(tmp_path)

    path = TrainingRun.open(tmp_path, SETTINGS).draw_curves()

    assert path is not None
    assert path.read_bytes().startswith(b"\x89PNG")
    assert json.loads((tmp_path / STATE_NAME).read_text())["history"] == [{"loss": 0.5}]
