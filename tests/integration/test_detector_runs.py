"""Whole training runs of the face detector on drawn faces: killed, resumed, exported."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from contract.errors import CheckpointError
from face_detector.maskwatch_detector import MaskwatchDetector
from maskwatch.cli import main
from models.coco import read_photographs
from models.training.runs import STATE_NAME
from tests.faces_drawn import write_drawn_faces

pytest.importorskip("keras", reason="needs Keras, which is not installed")

from face_detector.training.callbacks import BEST_NAME
from face_detector.training.export import export_run

TINY = ("--labels-only", "--side-px", "64", "--judged-px", "96", "--batch-size", "4")


def train(data: Path, out: Path, *more: str) -> list[str]:
    return ["train", "detector", "--data", str(data), "--out", str(out), *TINY, *more]


def test_a_killed_run_goes_on_and_learns_from_nothing(tmp_path: Path) -> None:
    data, out = write_drawn_faces(tmp_path / "data", 8, side_px=96), tmp_path / "run"
    arguments = train(data, out, "--begin-with", "nothing", "--epochs", "2", "--steps", "6")
    arguments += ["--peak-learning-rate", "0.004"]
    process = subprocess.Popen(
        [sys.executable, "-m", "maskwatch", *arguments],
        start_new_session=True,
        env={**os.environ, "MASKWATCH_STATE_DIR": str(tmp_path / "state")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 300
    while not (out / STATE_NAME).exists() and time.monotonic() < deadline:
        assert process.poll() is None, process.stderr and process.stderr.read().decode()
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    first = json.loads((out / STATE_NAME).read_text())

    result = CliRunner().invoke(main, arguments)

    assert result.exit_code == 0, result.output
    state = json.loads((out / STATE_NAME).read_text())
    assert state["epoch"] == 2
    assert state["history"][: first["epoch"]] == first["history"]
    losses = [row["training_loss"] for row in state["history"]]
    assert losses[-1] < losses[0]
    assert (out / "learning_curves.png").stat().st_size > 1000


def test_a_run_that_begins_with_what_ships_finds_drawn_faces_and_exports(tmp_path: Path) -> None:
    data, out = write_drawn_faces(tmp_path / "data", 12, side_px=96), tmp_path / "run"
    arguments = train(data, out, "--begin-with", "maskwatch", "--epochs", "1", "--steps", "4")

    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    [history] = json.loads((out / STATE_NAME).read_text())["history"]
    onnx_path, card = export_run(out, tmp_path / "out", score_threshold=0.4, batch=2)

    assert history["held_out_ap"] > 0.5
    detector = MaskwatchDetector(onnx_path, input_width=96, threads=1)
    assert detector.spec.score_threshold == 0.4
    assert detector.spec.training_data.startswith("drawn: 12 photographs")
    set_of_three = [p.read() for p in read_photographs(data).photographs[:3]]
    assert sum(map(len, detector.detect(set_of_three))) >= 2
    assert json.loads(card.read_text())["files"][0]["size_bytes"] == onnx_path.stat().st_size

    (out / BEST_NAME).write_bytes((out / BEST_NAME).read_bytes()[:1000])
    with pytest.raises(CheckpointError, match=r"best\.weights\.h5 is damaged.*train again"):
        export_run(out, tmp_path / "again", score_threshold=0.4)
    newest = next(out.glob("epoch-*.weights.h5"))
    newest.write_bytes(newest.read_bytes()[:1000])
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert newest.name in result.output
    assert "damaged" in result.output
