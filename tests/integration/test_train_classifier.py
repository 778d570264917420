"""`maskwatch train | export | evaluate classifier`, from nothing to a small but real result."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner, Result

from maskwatch.cli import main
from models.loading import load_classifier
from models.training.runs import STATE_NAME
from tests.tiny_faces import write_tiny_set

pytest.importorskip("keras", reason="needs Keras, which is not installed")
pytest.importorskip("matplotlib", reason="needs matplotlib, which is not installed")

ROOT = Path(__file__).resolve().parents[2]
SMALL = ["--from-scratch", "--network", "small", "--input-size", "32", "--batch-size", "32"]
EPOCHS = 6


def run(*arguments: object, detector: str = "ssd") -> Result:
    environment = {"MASKWATCH_DETECTOR": detector}
    return CliRunner().invoke(main, [str(argument) for argument in arguments], env=environment)


def training(data: Path, out: Path) -> list[str]:
    numbers = ["--epochs", str(EPOCHS), "--steps", "20", "--seed", "3"]
    return ["train", "classifier", "--data", str(data), "--out", str(out), *SMALL, *numbers]


def killed_after_an_epoch(arguments: list[str], out: Path) -> int:
    """Start the command, kill it hard once an epoch is saved, and say how many were."""
    environment = os.environ | {"MASKWATCH_DETECTOR": "ssd"}
    command = [sys.executable, "-m", "maskwatch", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    try:
        while not (out / STATE_NAME).exists():
            assert process.poll() is None, "the training ended by itself"
            assert time.monotonic() < deadline, "no epoch was saved"
            time.sleep(0.02)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    return int(json.loads((out / STATE_NAME).read_text())["epoch"])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_set(tmp_path_factory.mktemp("tiny"), images=110, seed=1)


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory, needs_ssd: None) -> Path:
    """The folder of a run that was killed after its first epoch and then went on to its end."""
    out = tmp_path_factory.mktemp("run")
    done = killed_after_an_epoch(training(data, out), out)
    assert 1 <= done < EPOCHS
    result = run(*training(data, out))
    assert result.exit_code == 0, result.output
    assert f"Epoch 1/{EPOCHS}" not in result.output
    return out


@pytest.fixture(scope="module")
def needs_ssd() -> None:
    """Any detector will do; cartoons are beyond all of them, so the labelled boxes count."""
    from contract.errors import ModelNotFoundError
    from face_detector.loading import load_detector

    try:
        load_detector("ssd")
    except ModelNotFoundError as error:
        pytest.skip(f"needs a face detector's network: {error}")


def test_a_killed_training_goes_on_and_reaches_a_real_result(trained: Path, data: Path) -> None:
    state: dict[str, Any] = json.loads((trained / STATE_NAME).read_text())
    calibration = json.loads((trained / "calibration.json").read_text())

    assert state["epoch"] == len(state["history"]) == EPOCHS
    assert state["history"][-1]["training_loss"] < state["history"][0]["training_loss"]
    assert calibration["held_out_accuracy"] > 0.7  # chance is a third
    assert (trained / "learning_curves.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("batch", [None, 4])
def test_an_export_records_how_it_is_used_and_runs(
    trained: Path, tmp_path: Path, batch: int | None
) -> None:
    fixed = [] if batch is None else ["--batch", batch]

    result = run("export", "classifier", "--run", trained, "--out", tmp_path, *fixed)

    assert result.exit_code == 0, result.output
    network = onnx.load(str(tmp_path / "mask_classifier.onnx"))
    said = {entry.key: entry.value for entry in network.metadata_props}
    assert said["labels"] == '["mask", "incorrect", "no_mask"]'
    assert {"input_size", "colour_order", "normalisation", "temperature", "threshold"} <= set(said)
    dimension = network.graph.input[0].type.tensor_type.shape.dim[0]
    assert dimension.dim_value == (batch or 0)
    crops = np.zeros((batch or 3, 32, 32, 3), np.uint8)
    in_onnx = load_classifier("onnx", path=tmp_path / "mask_classifier.onnx").classify(crops)
    in_keras = load_classifier("tensorflow", path=tmp_path / "mask_classifier.keras", device="cpu")
    np.testing.assert_allclose(in_onnx, in_keras.classify(crops), atol=1e-3)


def test_an_evaluation_is_a_report_with_pictures(trained: Path, tmp_path: Path) -> None:
    fresh = write_tiny_set(tmp_path / "fresh", images=40, seed=2)
    run("export", "classifier", "--run", trained, "--out", tmp_path / "files")

    result = run(
        *("evaluate", "classifier", "--data", fresh, "--out", tmp_path / "report"),
        *("--classifier", tmp_path / "files" / "mask_classifier.onnx"),
    )

    assert result.exit_code == 0, result.output
    report = (tmp_path / "report" / "classifier.md").read_text()
    for part in ("Overall", "Confusion", *(f"By {by}" for by in ("source", "longer side", "box"))):
        assert f"## {part}\n" in report
    for part in ("brightness", "pose"):
        assert f"## By {part}\n\n| {part} | faces |" in report
    assert "| north |" in report
    pictures = {path.name for path in (tmp_path / "report").glob("*.png")}
    assert all(f"({name})" in report for name in pictures - {"classifier_worst_mistakes.png"})
    assert len(pictures) == 5


def test_an_unfinished_run_cannot_be_exported(tmp_path: Path, data: Path) -> None:
    result = run("export", "classifier", "--run", tmp_path, "--out", tmp_path / "files")

    assert result.exit_code == 2
    assert "best.keras" in result.output
    assert "maskwatch train classifier" in result.output
    assert not (tmp_path / "files").exists()


def test_a_damaged_checkpoint_is_named_and_nothing_is_trained(
    trained: Path, data: Path, tmp_path: Path
) -> None:
    for path in trained.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (weights,) = tmp_path.glob("epoch-*.weights.h5")
    weights.write_bytes(weights.read_bytes()[:1000])

    result = run(*training(data, tmp_path))

    assert result.exit_code == 2
    assert f"{weights} is damaged" in result.output


def test_other_settings_in_the_same_folder_are_refused(trained: Path, data: Path) -> None:
    result = run(*training(data, trained)[:-1], "4")

    assert result.exit_code == 2
    assert "seed 3, not 4" in result.output


def test_a_training_begins_from_a_classifiers_file_and_refuses_another_networks(
    trained: Path, data: Path, tmp_path: Path
) -> None:
    start = ["--start", str(trained / "best.keras"), "--epochs", "1"]

    result = run(*training(data, tmp_path / "further"), *start)
    refused = run(*training(data, tmp_path / "other"), *start, "--alpha", "0.5")

    assert result.exit_code == 0, result.output
    (row,) = json.loads((tmp_path / "further" / STATE_NAME).read_text())["history"]
    assert row["held_out_loss"] < 0.9  # from nothing it begins at ln 3
    assert refused.exit_code == 2
    assert "cannot be begun from" in refused.output


def test_bad_data_end_training_and_evaluation_with_the_file_and_the_mend(
    data: Path, tmp_path: Path, needs_ssd: None
) -> None:
    broken = write_tiny_set(tmp_path / "broken", images=3, seed=5)
    (broken / "images" / "001.png").unlink()

    for command in (training(broken, tmp_path / "run"), _evaluation(broken, tmp_path / "report")):
        result = run(*command)
        assert result.exit_code == 2
        assert "001.png" in result.output
        assert "put it there" in result.output


def _evaluation(data: Path, out: Path) -> list[str]:
    return ["evaluate", "classifier", "--data", str(data), "--out", str(out)]
