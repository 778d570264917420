"""Pictures shown in place of live ones: drawn once for all viewers, then forgotten."""

from __future__ import annotations

import pytest

from dashboard.live import placeholder


def test_one_picture_serves_all_until_nobody_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [1e9]
    monkeypatch.setattr("dashboard.live.placeholder.time.monotonic", lambda: now_s[0])
    first = placeholder.draw_placeholder(b"", "No picture since 10:00", "The camera is away.")
    now_s[0] += placeholder.KEPT_S
    again = placeholder.draw_placeholder(b"", "No picture since 10:00", "The camera is away.")
    assert again is first
    now_s[0] += placeholder.KEPT_S + 1
    placeholder.draw_placeholder(b"", "No picture since 11:00", "The camera is away.")
    assert placeholder.kept_placeholders() == 1
