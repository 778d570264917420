"""Uploaded recordings: to the disk in pieces, analysed, reported, and deleted again."""

from __future__ import annotations

import errno
import io
import os
import time
from pathlib import Path

import av
import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer
from werkzeug.test import TestResponse

from bus.keys import RECORDINGS_QUEUE
from bus.stores.recordings import RecordingStore
from contract.pictures.recordings import what_instead
from runtime.settings import load_settings
from tests.accounts import key_client, make_app
from tests.images_process import scripted_networks
from tests.servers.clips import make_clip, make_sound, truncate
from worker.uploads import recording_jobs

API = "/api/v1/recordings"


@pytest.fixture
def app(redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flask:
    monkeypatch.setattr("bus.jobs.queue.JobQueue.processes", lambda _: 1)
    return make_app(redis, recordings_dir=tmp_path / "kept", recording_max_mb=1)


@pytest.fixture
def client(app: Flask, redis: Redis) -> FlaskClient:
    return key_client(app, redis, "operator")


@pytest.fixture
def store(redis: Redis, tmp_path: Path) -> RecordingStore:
    return RecordingStore(redis, tmp_path / "kept", 3600)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "clip.mp4", seconds=4)


def upload(client: FlaskClient, data: bytes, name: str = "hall.mp4") -> TestResponse:
    return client.post(f"{API}?name={name}", data=data)


def analyse(redis: Redis, store: RecordingStore, most_minutes: float = 60) -> None:
    """What the job does, with networks that find a masked face in every frame."""
    queue = Queue(RECORDINGS_QUEUE, connection=redis, serializer=JSONSerializer)
    [job] = queue.jobs
    assert job.func_name == "worker.uploads.recording_jobs.analyse_recording"
    found = store.get(job.args[0])
    assert found is not None
    settings = load_settings({}, recording_max_minutes=most_minutes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("worker.networks.load_networks", lambda _: scripted_networks())
        recording_jobs._analyse(store, found, settings)


def test_a_recording_becomes_a_report_and_an_annotated_video(
    client: FlaskClient, redis: Redis, store: RecordingStore, clip: Path, tmp_path: Path
) -> None:
    answer = upload(client, clip.read_bytes())
    assert (answer.status_code, answer.json["state"]) == (202, "queued")
    where = answer.headers["Location"]
    [made] = store.all()
    assert store.given_file(made).read_bytes() == clip.read_bytes()
    assert client.get(f"{where}/video").status_code == 404
    analyse(redis, store)
    done = client.get(where).json
    report = done["report"]
    assert (done["state"], done["progress"], done["name"]) == ("finished", 1.0, "hall.mp4")
    assert (report["width"], report["height"], report["codec"]) == (320, 180, "h264")
    assert report["frames"] == pytest.approx(32, abs=1), "eight a second"
    [person] = [one for one in report["people"] if one["verdict"] == "mask"]
    assert person["first_seen_s"] == 0.0
    assert 0 < person["last_seen_s"] <= 4
    assert report["total"]["people"] == {"mask": 1, "incorrect": 0, "no_mask": 0, "unknown": 1}
    assert report["total"]["compliance"]["rate"] == 1.0
    assert sum(step["people"]["mask"] for step in report["steps"]) == 1
    assert report["times_real_time"] > 0
    video = client.get(f"{where}/video")
    assert "filename=hall-annotated.mp4" in video.headers["Content-Disposition"]
    (tmp_path / "got.mp4").write_bytes(video.data)
    with av.open(str(tmp_path / "got.mp4")) as film:
        stream = film.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == ("h264", 320, 180)
        assert sum(1 for _ in film.decode(stream)) == report["frames"]
        assert float(film.duration) / av.time_base == pytest.approx(4, abs=0.3)
    assert not store.given_file(made).exists(), "the recording goes once it was analysed"


def test_only_the_uploader_sees_a_recording_and_removing_it_deletes_every_file(
    app: Flask, client: FlaskClient, redis: Redis, store: RecordingStore, clip: Path, tmp_path: Path
) -> None:
    where = upload(client, clip.read_bytes()).headers["Location"]
    analyse(redis, store)
    administrator = key_client(app, redis)
    for path in (where, f"{where}/video"):
        assert administrator.get(path).status_code == 404
    assert administrator.delete(where).status_code == 404
    assert administrator.get(API).json == {"recordings": []}
    assert len(client.get(API).json["recordings"]) == 1
    assert client.delete(where).status_code == 204
    assert client.get(where).status_code == 404
    assert list((tmp_path / "kept").iterdir()) == []
    assert not list(redis.scan_iter("*:recording:*"))


def test_files_go_when_their_time_is_over(
    client: FlaskClient, store: RecordingStore, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(client, clip.read_bytes())
    [expired] = store.all()
    with monkeypatch.context() as later:
        later.setattr("bus.stores.recordings.time.time", lambda: expired.kept_until_s - 100)
        upload(client, clip.read_bytes())
    assert store.sweep() == 0
    monkeypatch.setattr("bus.stores.recordings.time.time", lambda: expired.kept_until_s + 2)
    assert store.sweep() == 1
    [kept] = [made for made in store.all() if made.id != expired.id]
    assert not store.given_file(expired).exists()
    assert store.given_file(kept).exists()


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A folder of somebody's own, set as that of recordings."""
    folder = tmp_path / "kept"
    folder.mkdir()
    (folder / "our wedding.mp4").write_bytes(b"film")
    (folder / f"{'5' * 24}.mp4").write_bytes(b"a film named as other programs name theirs")
    (folder / f"{'5' * 24}.given").write_bytes(b"the same")
    (folder / "maskwatch-notes.txt").write_bytes(b"notes")
    (folder / f"maskwatch-{'a' * 24}-1.mp4").mkdir()
    (folder / f"maskwatch-{'b' * 24}-1.mp4").symlink_to(folder / "our wedding.mp4")
    (folder / "more").mkdir()
    (folder / "more" / f"maskwatch-{'c' * 24}-1.mp4").write_bytes(b"another's")
    return folder


def everything_in(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*")}


def test_nothing_is_deleted_but_what_we_made(
    client: FlaskClient, redis: Redis, store: RecordingStore, foreign: Path, clip: Path
) -> None:
    before, mode = everything_in(foreign), foreign.stat().st_mode
    where = upload(client, clip.read_bytes()).headers["Location"]
    analyse(redis, store)
    (foreign / f"maskwatch-{'d' * 24}-1.mp4").write_bytes(b"ours, long over")
    store.adopt()
    assert store.sweep() == 1
    assert client.delete(where).status_code == 204
    assert everything_in(foreign) == before
    assert foreign.stat().st_mode == mode, "others may go on reading what is theirs"


def test_recordings_of_an_earlier_version_get_names_that_say_until_when(
    redis: Redis, store: RecordingStore, tmp_path: Path
) -> None:
    old = store.change(store.create("key:1", "hall.mp4"), kept_until_s=0.0)
    assert old is not None
    (tmp_path / "kept" / f"{old.id}.mp4").write_bytes(b"film")
    store.adopt()
    store.adopt()
    [adopted] = store.all()
    assert store.annotated_file(adopted).read_bytes() == b"film"
    assert 0 < adopted.kept_until_s - time.time() <= 3600
    store.remove(adopted)
    assert everything_in(tmp_path / "kept") == set()


def test_a_recording_removed_while_it_is_analysed_leaves_nothing(
    client: FlaskClient, redis: Redis, store: RecordingStore, clip: Path, tmp_path: Path
) -> None:
    upload(client, clip.read_bytes())
    real = store.change

    def change_after_removal(made: object, **changes: object) -> object:
        if "progress" in changes:
            redis.delete(f"maskwatch:recording:{made.id}")  # type: ignore[attr-defined]
        return real(made, **changes)  # type: ignore[arg-type]

    store.change = change_after_removal  # type: ignore[method-assign,assignment]
    analyse(redis, store)
    assert list((tmp_path / "kept").iterdir()) == []


@pytest.mark.parametrize("kind", ["cut", "sound", "noise", "long"])
def test_a_recording_that_cannot_be_analysed_says_why(
    client: FlaskClient, redis: Redis, store: RecordingStore, clip: Path, tmp_path: Path, kind: str
) -> None:
    data = {
        "cut": lambda: truncate(tmp_path / "cut.mp4", clip).read_bytes(),
        "sound": lambda: make_sound(tmp_path / "sound.mp4").read_bytes(),
        "noise": lambda: clip.read_bytes()[:40] + bytes(range(256)) * 40,
        "long": clip.read_bytes,
    }[kind]()
    where = upload(client, data).headers["Location"]
    analyse(redis, store, 0.01 if kind == "long" else 60)
    failed = client.get(where).json
    assert failed["state"] == "failed"
    words = {
        "cut": "never finished: it lacks its index",
        "sound": "no video",
        "noise": "never finished",
        "long": "longer than",
    }[kind]
    assert words in failed["error"]
    assert "Invalid data" not in failed["error"], "not FFmpeg's words"
    assert list((tmp_path / "kept").iterdir()) == []


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (b"", 400, "no recording"),
        (b"#EXTM3U\nfile:///etc/passwd\n", 415, "the file is a text"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", 415, "whatever its name says"),
        (b"%PDF-1.7\n\xe2\xe3", 415, "a document"),
        (b"\x89PNG\r\n\x1a\n", 415, "a picture"),
        ("Grüße".encode() * 4096, 415, "a text"),
        (b"\0\0\0\x20ftypisom" + bytes(2 << 20), 413, "MASKWATCH_RECORDING_MAX_MB"),
    ],
)
def test_what_is_no_recording_is_refused_and_not_kept(
    client: FlaskClient, redis: Redis, tmp_path: Path, data: bytes, status: int, words: str
) -> None:
    answer = upload(client, data)
    assert answer.status_code == status
    assert words in answer.json["detail"]
    assert not list(redis.scan_iter("*:recording:*"))
    assert not list((tmp_path / "kept").glob("*"))


def test_a_body_without_a_length_is_cut_off_at_the_limit(
    client: FlaskClient, redis: Redis, tmp_path: Path
) -> None:
    data = b"\0\0\0\x20ftypisom" + bytes(2 << 20)
    answer = client.post(
        API,
        input_stream=io.BytesIO(data),
        environ_overrides={"wsgi.input_terminated": True},
        headers={"Transfer-Encoding": "chunked"},
    )
    assert answer.status_code == 413
    assert not list((tmp_path / "kept").glob("*"))


def test_one_person_has_five_recordings_at_most(client: FlaskClient, clip: Path) -> None:
    answers = [upload(client, clip.read_bytes()).status_code for _ in range(6)]
    assert answers == [202] * 5 + [429]


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "ts", "flv", "wmv", "h264", "mjpeg"])
def test_no_recording_is_refused_at_once(tmp_path: Path, suffix: str) -> None:
    clip = make_clip(tmp_path / "clip.mkv", seconds=0.5)
    with av.open(str(clip)) as film, av.open(str(tmp_path / f"a.{suffix}"), "w") as other:
        codec = {"wmv": "wmv2", "mjpeg": "mjpeg"}.get(suffix, "libx264")
        stream = other.add_stream(codec, rate=10)
        stream.width, stream.height = 320, 180
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for frame in film.decode(video=0):
            picture = av.VideoFrame.from_ndarray(frame.to_ndarray(format="bgr24"), "bgr24")
            other.mux(stream.encode(picture))
        other.mux(stream.encode())
    data = (tmp_path / f"a.{suffix}").read_bytes()
    assert {what_instead(data[cut:]) for cut in (0, 1, len(data) // 3)} == {""}


@pytest.mark.parametrize("name", ["a\nb.mp4", "\r\n.mp4", "\x00.mp4", "\u2028\u202e.mp4"])
def test_any_name_of_a_file_is_taken_and_its_video_can_be_saved(
    client: FlaskClient, redis: Redis, store: RecordingStore, clip: Path, name: str
) -> None:
    answer = client.post(API, query_string={"name": name}, data=clip.read_bytes())
    assert answer.status_code == 202
    analyse(redis, store)
    video = client.get(f"{answer.headers['Location']}/video")
    assert (video.status_code, len(video.data) > 1000) == (200, True)
    assert video.headers["Content-Disposition"].isprintable()


def test_the_pages_open_for_operators(client: FlaskClient) -> None:
    assert "Choose a recording" in client.get("/try/recordings").text
    assert "Download annotated video" in client.get("/try/recordings/abc").text


def test_a_full_disk_is_told_as_that_and_nothing_is_kept(
    client: FlaskClient,
    store: RecordingStore,
    clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class FullDisk(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    data = clip.read_bytes()
    monkeypatch.setattr(Path, "open", lambda *_, **__: FullDisk())
    answer = upload(client, data)
    assert (answer.status_code, answer.json["error"]) == (507, "not_stored")
    assert "disk is full" in answer.json["detail"]
    assert store.all() == []
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_disk_that_fills_during_the_analysis_is_not_blamed_on_the_recording(
    client: FlaskClient, redis: Redis, store: RecordingStore, clip: Path
) -> None:
    where = upload(client, clip.read_bytes()).headers["Location"]
    [made] = store.all()
    store.annotated_file(made).symlink_to("/dev/full")
    analyse(redis, store)
    failed = client.get(where).json
    assert failed["state"] == "failed"
    assert failed["error"] == f"{recording_jobs.NOT_WRITTEN} ({os.strerror(errno.ENOSPC)})"
    assert not store.annotated_file(made).is_symlink(), "nothing half-written stays"


def test_a_folder_that_cannot_be_made_is_told_to_operators_in_the_log_alone(
    client: FlaskClient, clip: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "kept").write_text("a file")
    answer = upload(client, clip.read_bytes())
    assert (answer.status_code, answer.json["error"]) == (507, "not_stored")
    assert str(tmp_path) not in answer.json["detail"]
    assert "a file where a folder was expected" in caplog.text
