"""Every parser of the product, with texts of the kind that it reads.

`tests/unit/test_hostile_input.py` fails for a function that is named like a parser and is neither
here nor among `NOT_FROM_OUTSIDE`.
"""

from __future__ import annotations

import http.client
import io
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from bus.connection import sentinels as redis_sentinel
from bus.jobs.job_json import JobJson
from bus.stores import alert_deliveries, day_sums, packed_days
from bus.stores import alerts as alert_store
from bus.stores import cameras as camera_registry
from bus.stores import outcomes as outcome_store
from bus.stores import people as people_store
from bus.stores import uploads as upload_store
from bus.stores.accounts import audit
from contract import messages, names, plain_text, redaction, traces
from contract.accounts import grants
from contract.alerts import channels as alert_channels
from contract.cameras import status
from contract.cameras.camera import make_camera
from contract.cameras.quality import QualityReport
from contract.errors import MaskwatchError
from contract.people import minutes, totals
from contract.people.audits import Audit, DrawnPerson, Judgement
from contract.people.faces import FrameFaces
from contract.people.people import Person
from contract.people.tallies import Tally
from contract.pictures import recordings
from contract.pictures.frames import SCHEMA as FRAME_SCHEMA
from contract.pictures.frames import FrameMessage
from contract.pictures.views import SCHEMA as VIEW_SCHEMA
from contract.pictures.views import View
from dashboard import pages
from dashboard.cameras.file import csv_form, forms, yaml_form
from dashboard.cameras.file.plan import make_plan
from dashboard.live import wall_records
from dashboard.live.row_ids import parse_row_id
from dashboard.web import guard, requests, time_range
from ingest.reach import address
from ingest.reach import login as rtsp_login
from ingest.rtsp import messages as rtsp_messages
from ingest.web import playlist
from maskwatch import run, shapes
from reports import span as report_span
from runtime import image_files
from runtime.redis_address import cluster as redis_cluster
from runtime.redis_address import hosts as redis_hosts
from tests import product
from tests.hostile_texts import Shape, shapes_of
from worker import saved_state
from worker.condition import condition
from worker.tracking import tracker as tracking

REFUSALS = (MaskwatchError, ValueError, TypeError, KeyError, http.client.HTTPException)
"""What a parser may raise at text that is none of its kind: no RecursionError, above all."""


@dataclass(frozen=True)
class Parser:
    """A function that reads what comes from outside."""

    name: str
    """`module.function`, as it is found."""
    read: Callable[[str], Any]
    samples: tuple[str, ...]
    thorough: bool = True

    def __call__(self, text: str) -> None:
        with suppress(*REFUSALS):
            self.read(text)

    def shapes(self) -> list[Shape]:
        """What it is tried with."""
        return shapes_of(self.samples, thorough=self.thorough)


def as_bytes(read: Callable[[bytes], Any]) -> Callable[[str], Any]:
    return lambda text: read(text.encode("utf-8", "surrogatepass"))


def in_pieces(text: str) -> None:
    """Give an RTSP splitter a text byte by byte, as a slow camera does."""
    splitter = rtsp_messages.Splitter()
    for one in text.encode("latin-1", "replace"):
        for _ in splitter.feed(bytes((one,))):
            pass


def at_once(text: str) -> None:
    for _ in rtsp_messages.Splitter().feed(text.encode("latin-1", "replace")):
        pass


def planned(form: forms.Form) -> Callable[[str], Any]:
    """Read a file of cameras and compare it with some that there are."""
    everyone = [make_camera(name=f"a{number}", source="demo:") for number in range(100)]
    return lambda text: make_plan(
        forms.read_cameras(form, text.encode()),
        everyone,
        lambda *_: True,
        lambda _: True,
        remove_missing=True,
    )


def frame(field: bytes, decode: Any, schema: bytes) -> Callable[[str], Any]:
    """Read an entry of a stream with a text in one field."""
    good = {b"v": schema, b"jpeg": b"x", b"seq": b"1", b"index": b"1", b"at": b"1", b"faces": b"{}"}
    return as_bytes(lambda text: decode("c1", b"1-1", {**good, field: text}))


URLS = (
    "rtsp://admin:s3cret@10.0.0.9:554/live?user=a&key=b;token=c#d",
    "http://[fe80::1%eth0]:8080/a?key",
    "rtsp://a:b@c:d@10.0.0.9/e",
    "rtsp://x?pass?key?",
)
ENTRY = '{"name": "Gate", "source": "demo:", "lines": [{"name": "a", "points": [[0, 0], [1, 1]]}]}'
YAML = (
    "cameras:\n- name: Gate 1\n  source: demo:\n  max_width: 1:1:1\n  lines: [{name: a, points: "
    "[[0.1, 0.2]]}]\n",
    '- {name: &a "x\\n", group: *a, <<: !t {}}\n',
    "%TAG !a! b\n--- |\n a\n# b\n...\n",
    "? - 'it''s'\n: >-\n  x\n",
)
CSV = ('sep=;\nname;"a ""b"" c";1,5\r\n', 'name,source,lines\nGate,demo:,"[[0, 1]]"\n')
JSON = ('{"v": 1, "a": [1.5, "b\\u00e9", null, {"c": -2e5}]}', "[[0, 1], {}]", '"\\\\\\""')
TRACKERS = (
    *JSON,
    '{"v": 3, "next_id": 2, "tracks": [[1, [[1.5, 2, 3], [0.1]], 1.7e9]], "static": [[[1, 2]]]}',
    '{"v": 2, "next_id": 2, "picture": [1, 0], "size": [1, 1], "static": [], "tracks": [[1, []]]}',
)
CONDITIONS = (
    *JSON,
    '{"v": 2, "quality": [1.7e9, {"black": [0.5, null, false]}], "fitness": [[0.5, 1]]}',
    '{"v": 1, "quality": {"suspicions": {}, "viewpoint": []}, "fitness": [0, [1.5], 3]}',
)
AUDITS = (
    *JSON,
    '{"v": 1, "id": "a", "name": "b", "camera_ids": ["c"], "people": 20, "chances": {"mask": 0.5}, '
    '"started_by": "d", "started_at_s": 1.0, "ends_at_s": 2.0}',
    '{"v": 1, "id": "a", "camera_id": "c", "verdict": "mask", "confidence": 0.9, "last_seen_s": 1, '
    '"second": false, "pictures": 2}',
    '{"v": 1, "person_id": "a", "judge": "b", "answer": "mask", "at_s": 1.0}',
    '{"v": 1, "id": "a", "by": "b", "from_s": 1.0, "until_s": 9.0, "seen": [2.0], "counted": [3]}',
)
HEAD = (
    "RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: 4\r\nLocation: rtsp://a/b\r\n\r\nv=0\n",
    "OPTIONS rtsp://cam/live  x RTSP/1.0\r\nCSeq: 3\r\n\r\n",
    "$\0\0\x01a$\0\0\0b",
    "$\0\0\0x$\0\0\0RTSP/1.0 200 OK\n\r\r\n",
)
PLAYLIST = (
    '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="a,b=c",IV=0x0f\n#EXT-X-BYTERANGE:1@2\n'
    "#EXTINF:1.5,a\nb.ts\n",
    '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="a"\nb.m3u8\n',
)
PIECES = ("RTSP/1.0 200 OK\r\nContent-Length: 900000\r\n\r\nx", "$\0\0\0x$\0\0\0RTSP/1 a\r\n")
LOGIN = (
    'Digest realm="a\\"b", nonce=c, qop="auth,auth-int", algorithm=MD5, opaque=""',
    "Basic realm=x",
)
NUMBERS = ("12", "-1.5e3", "1_0", "0x1f", "١٢")
TIMES = ("2026-11-30T08:00:00+01:00", "1764489600.5", "2026-W49-1T08:00")
JPEG = "\xff\xd8\xff\xe0\0\x10JFIF\0\x01\xff\xe1\0\x08Exif\0\0\xff\xdb\0\x03a\xff\xc0\0\x0b\x08"
PNG = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10\x08\2\0\0\0aaaa\0\0\0\1tEXtaaaaa"
WEBP = "RIFF\x40\0\0\0WEBPVP8X\x0a\0\0\0\x08\0\0\0\1\0\0\1\0\0EXIF\4\0\0\0II*\0"


def pixels(read: Callable[[bytes], Any]) -> Callable[[str], Any]:
    return lambda text: read(text.encode("latin-1", "replace"))


def parsers() -> list[Parser]:
    """All of them but those for whole requests, which need a dashboard."""
    return [*_of_messages(), *_of_cameras(), *_of_people(), *_of_records()]


def _of_cameras() -> Iterator[Parser]:
    """What cameras send, and where they are."""
    yield Parser("ingest.rtsp.messages.Splitter", at_once, HEAD)
    yield Parser("ingest.rtsp.messages.Splitter, byte by byte", in_pieces, PIECES, False)
    yield Parser("ingest.rtsp.messages._read_head", rtsp_messages._read_head, HEAD)
    yield Parser("ingest.rtsp.messages._read_first", rtsp_messages._read_first, HEAD)
    yield Parser(
        "ingest.reach.login.Login",
        lambda text: rtsp_login.Login("a", "b").challenged([text]),
        LOGIN,
    )
    yield Parser("ingest.reach.address.parse_source", address.parse_source, URLS)
    here = address.parse_source("rtsp://a:b@10.0.0.9/live")
    yield Parser("ingest.reach.address.Address.moved_to", here.moved_to, URLS)
    yield Parser("ingest.web.playlist.parse_playlist", as_bytes(playlist.parse_playlist), PLAYLIST)
    yield Parser(
        "http.client.parse_headers",
        as_bytes(lambda text: http.client.parse_headers(io.BytesIO(text))),
        ("Content-Type: a; b=c\r\nContent-Range: bytes 0-1/2\r\n d\r\n\r\n",),
    )
    yield Parser("contract.redaction.redact_url", redaction.redact_url, URLS)
    yield Parser(
        "contract.redaction.redact_text",
        redaction.redact_text,
        (
            *URLS,
            "no answer from 'rtsp://a:it's <b>@c/d', http://e",
            "GET http://h/?key?key",
        ),
    )
    yield Parser(
        "runtime.image_files.read_header", pixels(image_files.read_header), (JPEG, PNG, WEBP)
    )
    yield Parser(
        "runtime.image_files.decode_image", pixels(image_files.decode_image), (JPEG, PNG, WEBP)
    )
    yield Parser(
        "contract.pictures.recordings.what_instead",
        pixels(recordings.what_instead),
        ("\0\0\0\x18ftyp",),
    )


def _of_people() -> Iterator[Parser]:
    """What people type and upload."""
    yield Parser("dashboard.cameras.file.yaml_form.read_yaml", yaml_form.read_yaml, YAML)
    yield Parser("dashboard.cameras.file.csv_form.read_csv", csv_form.read_csv, CSV)
    yield Parser("dashboard.cameras.file.csv_form.decode_csv", as_bytes(csv_form.decode_csv), CSV)
    yield Parser("dashboard.cameras.file.forms.read_cameras", planned("yaml"), YAML)
    yield Parser(
        "dashboard.cameras.file.forms.read_cameras, CSV",
        planned("csv"),
        (*CSV, "name\na1\na2\na3\n"),
    )
    yield Parser("dashboard.web.time_range.parse_step", time_range.parse_step, ("3600", "minute"))
    yield Parser(
        "dashboard.web.time_range.parse_zone", time_range.parse_zone, ("Europe/Berlin", "../a")
    )
    spans = ("2026-W48", "2026-11", "2027-W53")
    yield Parser("reports.span.parse_span", report_span.parse_span, spans)
    utc = ZoneInfo("UTC")
    yield Parser(
        "dashboard.web.time_range.parse_time",
        lambda text: time_range.parse_time("a", text, utc),
        TIMES,
    )
    yield Parser(
        "contract.accounts.grants.parse_grants",
        lambda text: grants.parse_grants(text.split("\n")),
        ("viewer:a\nb:c",),
    )
    yield Parser("dashboard.live.row_ids.parse_row_id", parse_row_id, ("12-3-abc",))
    yield Parser("contract.names.check_name", names.check_name, ("Gate 1", "a\u200cb"))
    yield Parser("contract.plain_text.plain_words", plain_text.plain_words, ("a\x9b",))
    yield Parser("contract.plain_text.escaped", plain_text.escaped, ("a\x9b\n",))
    yield Parser("contract.plain_text.cleaned", plain_text.cleaned, ("a\x9b\n",))
    yield Parser(
        "contract.alerts.channels._mail_address",
        _channel("to"),
        ("a.b@c.de", '"a b"@[1]', "(a(b))@c"),
    )
    yield Parser("contract.alerts.channels.WebhookChannel", _channel("url"), URLS)
    yield Parser("maskwatch.run.parse_cameras", run.parse_cameras, ("a=rtsp://b c=0",))
    yield Parser(
        "maskwatch.shapes.parse_named",
        lambda text: shapes.parse_named(text, "line"),
        ("a=0.1,0.2 0.3,0.4",),
    )
    yield Parser(
        "maskwatch.shapes.parse_points",
        lambda text: shapes.parse_points(text, "line"),
        ("0.1,0.2 0.3,0.4",),
    )
    yield Parser(
        "dashboard.pages.browser_words", pages.browser_words, ("Mozilla/5.0 (X11) Firefox/1",)
    )
    yield Parser("dashboard.web.guard._host_name", guard._host_name, ("//a.b:80", "//[::1]:80"))


def _channel(field: str) -> Callable[[str], Any]:
    kind = {"to": "email", "url": "webhook"}[field]
    return lambda text: alert_channels.make_channel(
        kind=kind, name="a", host="h", sender="a@b.de", **{field: [text] if field == "to" else text}
    )


def _of_messages() -> Iterator[Parser]:
    """JSON, and what lies in Redis beside it."""
    yield Parser("contract.messages.read_json", lambda text: messages.read_json(text, "it"), JSON)
    yield Parser(
        "contract.messages.read_versioned",
        lambda text: messages.read_versioned(text, 1, "it"),
        JSON,
    )
    yield Parser("contract.messages.read_count", as_bytes(messages.read_count), NUMBERS)
    yield Parser("contract.messages.read_moment", as_bytes(messages.read_moment), NUMBERS)
    yield Parser("bus.jobs.job_json.JobJson.loads", as_bytes(JobJson.loads), JSON)
    yield Parser(
        "dashboard.web.requests.BoundedJson",
        lambda text: requests.BoundedJson(None).loads(text),
        JSON,
    )  # type: ignore[arg-type]
    yield Parser(
        "contract.people.minutes.parse_open_field", as_bytes(minutes.parse_open_field), ("12:a",)
    )
    yield Parser(
        "bus.stores.outcomes.read_position", as_bytes(outcome_store.read_position), ("12 3",)
    )
    yield Parser(
        "bus.stores.packed_days.unpack_day", pixels(packed_days.unpack_day), ("1x\x9c\3\0",)
    )
    yield Parser(
        "bus.stores.day_sums.Sheet.decode",
        pixels(lambda packed: day_sums.Sheet.decode(1, packed)),
        ("1x\x9c\3\0",),
    )
    yield Parser("contract.people.totals.read_fault_field", totals.read_fault_field, ("fault:a",))
    yield Parser(
        "contract.people.totals.read_crossed_field",
        totals.read_crossed_field,
        ("crossed:in:masked:a",),
    )
    yield Parser(
        "contract.traces.read_trace",
        as_bytes(traces.read_trace),
        (f"00-{'a' * 32}-{'b' * 16}-01",),
    )
    yield Parser(
        "runtime.redis_address.hosts.read_hosts",
        lambda text: redis_hosts.read_hosts(text, 1, "a:1"),
        ("a:1,b:2",),
    )
    yield Parser("runtime.redis_address.hosts.read_login", redis_hosts.read_login, ("a:%41",))
    yield Parser(
        "runtime.redis_address.sentinels.parse_sentinel",
        redis_sentinel.parse_sentinel,
        ("redis+sentinel://a:b@c:1,d:2/e/0?f=g",),
    )
    yield Parser(
        "runtime.redis_address.cluster.parse_cluster",
        redis_cluster.parse_cluster,
        ("redis+cluster://a:b@c:1,d:2/",),
    )


def _of_records() -> Iterator[Parser]:
    """Records of ours in Redis."""
    decoders = (FrameFaces, Person, QualityReport, recordings.Recording, status.CameraStatus)
    for kind in decoders:
        fields = ", ".join(f'"{name}": "a"' for name in kind.__annotations__)
        samples = (f'{{"v": 1, {fields}}}', *JSON)
        yield Parser(f"{kind.__module__}.{kind.__name__}.decode", as_bytes(kind.decode), samples)
    for kind in (Audit, DrawnPerson, Judgement, Tally):
        name = f"contract.messages.StoredRecord.decode, {kind.__name__}"
        yield Parser(name, as_bytes(kind.decode), AUDITS)
    yield Parser("bus.stores.cameras._decode", camera_registry._decode, (ENTRY,))
    yield Parser("bus.stores.alerts.decode_alert", as_bytes(alert_store.decode_alert), JSON)
    yield Parser("bus.stores.alert_deliveries._decode", as_bytes(alert_deliveries._decode), JSON)
    yield Parser("bus.stores.uploads._read", upload_store._read, JSON)
    yield Parser(
        "worker.saved_state.read_state",
        lambda text: saved_state.read_state(text, tracking.TrackerState, dict, "it"),
        JSON,
    )
    yield Parser("worker.tracking.tracker.Tracker.decode", tracking.Tracker.decode, TRACKERS)
    yield Parser(
        "worker.condition.condition.CameraCondition.decode",
        condition.CameraCondition.decode,
        CONDITIONS,
    )
    for field in (b"v", b"seq", b"at", b"trace"):
        name = f"contract.pictures.frames.FrameMessage.decode, {field.decode()}"
        yield Parser(name, frame(field, FrameMessage.decode, FRAME_SCHEMA), NUMBERS)
    yield Parser(
        "contract.pictures.views.View.decode", frame(b"faces", View.decode, VIEW_SCHEMA), JSON
    )
    yield Parser(
        "contract.cameras.status.ConnectionEvent.decode",
        as_bytes(
            lambda text: status.ConnectionEvent.decode(
                {b"state": b"live", b"kind": text, b"since": b"1", b"error": text}
            )
        ),
        ("a\x9b",),
    )
    yield Parser(
        "bus.stores.accounts.audit._decode",
        as_bytes(lambda text: audit._decode(b"1-1", {b"at": b"1", b"who": text})),
        ("a",),
    )
    yield Parser(
        "bus.stores.people.decode_rows",
        as_bytes(
            lambda text: people_store.decode_rows(
                make_camera(name="a", source="demo:"), [(b"1-1", {b"person": text})]
            )
        ),
        JSON,
    )
    yield Parser(
        "dashboard.live.wall_records.decode_records",
        as_bytes(wall_records.decode_records),
        ("\0\0\0\2\0\0\0\1{}x",),
    )
    for model in product.models():
        yield Parser(
            f"{model.__module__}.{model.__name__}",
            model.model_validate_json,
            tuple(_json_of(model)),
            thorough=False,
        )


def _json_of(model: type[BaseModel]) -> Iterator[str]:
    """JSON with each field as a text, lists, an object, and a shape over a picture."""
    values = ('"a"', "[[0, 0]]", '{"a": 1}', '[{"name": "a", "points": [[0, 0], [1, 1]]}]')
    for name, field in model.model_fields.items():
        for value in values:
            yield f'{{"{field.alias or name}": {value}}}'


_INSIDE = "a part of one that is tried whole"
_ASKED = "a view: it gets an id from the path"
_OURS = "reads what whoever runs the system wrote"
NOT_FROM_OUTSIDE: dict[str, str] = {
    "runtime.image_files._check_bytes": _INSIDE,
    "worker.tracking.still_view._read": _INSIDE,
    "contract.cameras.shown_addresses._split": _INSIDE,
    "contract.people.totals.read_histogram": "reads numbers by names of ours",
    "dashboard.try_it.upload_api._check": _INSIDE,
    "dashboard.try_it.upload_api.read": _ASKED,
    "dashboard.cameras.file.forms._decode_yaml": _INSIDE,
    "dashboard.cameras.probe_api.read": _ASKED,
    "dashboard.serving.proxies._parse": _OURS,
    "dashboard.try_it.recording_api.read": _ASKED,
    "face_detector.annotate._read": _OURS,
    "ingest.reach.address._split_credentials": _INSIDE,
    "ingest.reach.address._split_port": _INSIDE,
    "ingest.demo.options.parse_demo": _OURS,
    "ingest.reach.login._split": _INSIDE,
    "models.downloads._check": _OURS,
    "models.onnx_session._check_device": _OURS,
    "worker.intake._decode_jpeg": "gets what `require_jpeg` let through",
}
"""Functions that are named like parsers and read nothing from outside, with the reason."""
