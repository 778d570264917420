"""Settings are validated; a wrong name or value is refused with words that help."""

from __future__ import annotations

import pytest

from contract.errors import SettingsError
from runtime.settings import load_settings


def test_an_unknown_setting_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(SettingsError, match="Did you mean MASKWATCH_PORT"):
        load_settings({"MASKWATCH_PROT": "80"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("DETECTOR", "yolo"),
        ("STALENESS_BUDGET_S", "-1"),
        ("REDIS_URL", "http://host"),
        ("DEVICE", "tpu"),
    ],
)
def test_a_value_that_cannot_be_used_names_the_setting(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"MASKWATCH_{name}="):
        load_settings({f"MASKWATCH_{name}": value})


def test_a_wrong_redis_url_does_not_show_its_password() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({"MASKWATCH_REDIS_URL": "http://u:s3cret@host"})
    assert "s3cret" not in str(caught.value)


def test_values_come_from_the_environment_that_is_passed_in() -> None:
    settings = load_settings({"MASKWATCH_PORT": "9000", "MASKWATCH_WORKERS": "", "PATH": "/bin"})
    assert (settings.port, settings.workers) == (9000, None)
