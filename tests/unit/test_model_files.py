from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from contract.errors import ModelChecksumError, ModelError, ModelNotFoundError, SettingsError
from models import cli, files
from models.downloads import pull
from models.files import (
    NetworkFile,
    find_first,
    find_model,
    known_files,
    locate,
    search_dirs,
    verify,
)

CONTENT = b"a tiny network" * 5000
TINY = NetworkFile(
    "tiny", "tiny.onnx", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT), "test", "none", None
)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A first and a second searched folder, and one known file, "tiny"."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    monkeypatch.setattr(files, "EXTERNAL_FILES", (TINY,))
    monkeypatch.setattr(files, "search_dirs", lambda models_dir: [models_dir or first, second])
    return first, second


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of a real web server, and the folder it serves."""
    folder = tmp_path / "web"
    folder.mkdir()
    handler = partial(QuietHandler, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", folder
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_first_folder_that_has_a_file_wins(folders: tuple[Path, Path]) -> None:
    first, second = folders
    (second / "tiny.onnx").write_bytes(CONTENT)
    assert find_model("tiny") == second / "tiny.onnx"

    (first / "tiny.onnx").write_bytes(CONTENT)
    assert find_model("tiny") == first / "tiny.onnx"


def test_a_missing_file_names_every_folder_and_the_command(folders: tuple[Path, Path]) -> None:
    with pytest.raises(ModelNotFoundError) as caught:
        find_model("tiny")

    message = str(caught.value)
    assert all(str(folder) in message for folder in folders)
    assert "maskwatch models pull tiny" in message


def test_a_changed_file_is_refused_with_both_checksums(folders: tuple[Path, Path]) -> None:
    path = folders[0] / "tiny.onnx"
    path.write_bytes(b"something else")

    with pytest.raises(ModelChecksumError) as caught:
        find_model("tiny")

    message = str(caught.value)
    assert TINY.sha256 in message
    assert hashlib.sha256(b"something else").hexdigest() in message
    assert str(path) in message
    assert "maskwatch models pull tiny" in message


def test_a_file_swapped_after_it_was_verified_is_noticed(folders: tuple[Path, Path]) -> None:
    path = folders[0] / "tiny.onnx"
    path.write_bytes(CONTENT)
    verify(path, TINY)
    path.write_bytes(CONTENT + b"!")

    with pytest.raises(ModelChecksumError):
        verify(path, TINY)


def test_the_first_complete_group_is_taken_and_an_incomplete_one_passed_over(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = NetworkFile("absent", "absent.pb", "0" * 64, 1, "test", "none", "http://localhost/x")
    monkeypatch.setattr(files, "EXTERNAL_FILES", (TINY, absent))
    (folders[0] / "tiny.onnx").write_bytes(CONTENT)

    assert find_first([("absent", "tiny"), ("tiny",)], None) == [folders[0] / "tiny.onnx"]
    with pytest.raises(ModelNotFoundError, match="absent"):
        find_first([("absent",)], None)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match=r"'yunett'; there are: yunet, "):
        find_model("yunett")


def test_the_given_folder_is_searched_first_and_the_shipped_one_always(tmp_path: Path) -> None:
    assert search_dirs(tmp_path)[0] == tmp_path
    assert files.WEIGHTS_DIR in search_dirs(None)


def test_what_ships_is_complete_and_small_enough_for_the_repository() -> None:
    shipped = [file for file in known_files() if file not in files.EXTERNAL_FILES]

    assert [file.name for file in shipped] == [
        "mask-classifier",
        "mask-classifier-keras",
        "face-detector",
    ]
    for file in shipped:
        path = locate(file, None)
        assert path is not None
        verify(path, file)
        assert path.stat().st_size == file.size_bytes <= 10_000_000


def test_a_pulled_file_arrives_whole_and_verified(
    folders: tuple[Path, Path], web: tuple[str, Path]
) -> None:
    url, served = web
    (served / "tiny.onnx").write_bytes(CONTENT)
    steps: list[tuple[int, int]] = []

    path = pull(
        "tiny",
        folders[0] / "new",
        base_url=f"{url}/",
        progress=lambda done, size: steps.append((done, size)),
    )

    assert path == folders[0] / "new" / "tiny.onnx"
    assert path.read_bytes() == CONTENT
    assert steps[-1] == (len(CONTENT), len(CONTENT))
    assert len(steps) > 1


@pytest.mark.parametrize(
    "served_content",
    [CONTENT[:-1] + b"?", CONTENT[:100], CONTENT + b"tail", b"x" * 10_000_000],
    ids=["altered", "cut short", "with a tail", "far too long"],
)
def test_a_corrupted_download_is_refused_and_leaves_the_old_file_alone(
    folders: tuple[Path, Path], web: tuple[str, Path], served_content: bytes
) -> None:
    url, served = web
    (served / "tiny.onnx").write_bytes(served_content)
    (folders[0] / "tiny.onnx").write_bytes(b"old")

    with pytest.raises(ModelChecksumError, match=TINY.sha256):
        pull("tiny", folders[0], base_url=url)

    assert [path.name for path in folders[0].iterdir()] == ["tiny.onnx"]
    assert (folders[0] / "tiny.onnx").read_bytes() == b"old"


def test_a_server_without_the_file_is_named_with_its_answer(
    folders: tuple[Path, Path], web: tuple[str, Path]
) -> None:
    with pytest.raises(ModelNotFoundError, match=r"tiny\.onnx answered 404"):
        pull("tiny", folders[0], base_url=web[0])

    assert list(folders[0].iterdir()) == []


def test_a_server_that_is_not_there_is_a_model_error(folders: tuple[Path, Path]) -> None:
    with pytest.raises(ModelError, match="cannot be downloaded"):
        pull("tiny", folders[0], base_url="http://127.0.0.1:9")


def test_no_password_in_the_address_reaches_the_message(folders: tuple[Path, Path]) -> None:
    with pytest.raises(ModelError) as caught:
        pull("tiny", folders[0], base_url="http://user:hush@127.0.0.1:9")

    assert "hush" not in str(caught.value)


def test_files_are_only_pulled_over_the_web(folders: tuple[Path, Path]) -> None:
    with pytest.raises(SettingsError, match="http"):
        pull("tiny", folders[0], base_url="file:///etc")
    with pytest.raises(ModelNotFoundError, match="nobody publishes"):
        pull("tiny", folders[0])


def test_the_command_tells_present_missing_and_wrong_files_apart(
    folders: tuple[Path, Path], web: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = folders
    monkeypatch.setattr(files, "WEIGHTS_DIR", first)
    monkeypatch.setattr(files, "DETECTOR_WEIGHTS_DIR", first)

    def states() -> list[str]:
        return [status.state for status in cli.verify_models()]

    assert states() == ["missing"]
    (first / "tiny.onnx").write_bytes(b"wrong")
    assert states() == ["wrong"]
    assert [status.state for status in cli.list_models()] == ["present"]
    (web[1] / "tiny.onnx").write_bytes(CONTENT)
    assert cli.pull_models(["tiny"], first, base_url=web[0]) == [first / "tiny.onnx"]
    assert states() == ["present"]
