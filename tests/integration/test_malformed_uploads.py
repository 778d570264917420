"""Malformed uploads, two of each kind; `python -m benchmarks.malformed_uploads` sends 500."""

from __future__ import annotations

import json

import pytest
from redis import Redis

from bus.keys import UPLOADED_PICTURES
from tests.accounts import key_client, make_app
from tests.images_process import images_process
from tests.malformed import KINDS, malformed_uploads


def test_each_malformed_upload_is_a_clear_4xx_and_leaves_nothing(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = key_client(make_app(redis), redis, "operator")
    with images_process(redis, monkeypatch):
        for number, upload in enumerate(malformed_uploads(2 * len(KINDS))):
            answer = client.post(
                "/api/v1/uploads",
                data=upload.body,
                content_type=upload.content_type,
                headers=list(upload.headers),
            )
            told = f"{number} {upload.what}: {answer.status_code} {answer.text[:200]}"
            assert 400 <= answer.status_code < 500, told
            assert len(json.loads(answer.text)["detail"]) > 30, told
    assert not list(redis.scan_iter(UPLOADED_PICTURES))
