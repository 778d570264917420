"""The record of an alert rule."""

from __future__ import annotations

import secrets
import time
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from contract.alerts.schedule import Schedule
from contract.cameras.camera import Camera
from contract.errors import AlertError
from contract.field_words import field_words
from contract.names import OPTIONAL_NAME, PLAIN_NAME

MOST_RULES: Final = 200
MOST_CHANNELS: Final = 50
DAY_S: Final = 86400

AlertKind = Literal["rate", "offline", "quality"]
ALERT_KINDS: Final[tuple[AlertKind, ...]] = ("rate", "offline", "quality")
KIND_WORDS: Final[dict[AlertKind, str]] = {
    "rate": "Mask rate low",
    "offline": "Camera offline",
    "quality": "Unreliable picture",
}


class RateLow(BaseModel):
    """The mask rate over the last `minutes` is below `below`.

    Minutes without pictures and minutes marked invalid are left out; see `alerts.readings`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["rate"] = "rate"
    below: float = Field(gt=0, le=1, description="The alert opens below this rate (0 to 1).")
    minutes: int = Field(15, ge=1, le=1440, description="Time window in whole minutes.")
    people: int = Field(
        20,
        ge=1,
        le=100_000,
        description="Minimum people with a verdict in the window.",
    )
    margin: float = Field(
        0.05, ge=0, lt=1, description="The alert closes at `below` plus this margin."
    )

    @model_validator(mode="after")
    def _can_close(self) -> RateLow:
        if self.below + self.margin > 1 + 1e-9:
            raise ValueError(
                "below and margin together exceed 100 %, so the alert could never close"
            )
        return self

    @property
    def hold_s(self) -> float:
        return 0.0

    @property
    def clear_s(self) -> float:
        return 0.0

    def words(self) -> str:
        return (
            f"below {_percent(self.below)} of at least {self.people} people in {self.minutes} "
            f"minutes, until {_percent(min(1.0, self.below + self.margin))}"
        )


class CameraOffline(BaseModel):
    """The camera sent no picture for `for_s` seconds; closes after `clear_s` seconds live."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["offline"] = "offline"
    for_s: int = Field(60, ge=5, le=DAY_S, description="Seconds without a picture.")
    clear_s: int = Field(30, ge=0, le=DAY_S, description="Seconds live until it closes.")

    @property
    def hold_s(self) -> float:
        return self.for_s

    def words(self) -> str:
        return f"offline for {_seconds(self.for_s)}, until live for {_seconds(self.clear_s)}"


class QualityInvalid(BaseModel):
    """The picture is unreliable for `for_s` seconds; closes after `clear_s` good seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["quality"] = "quality"
    for_s: int = Field(30, ge=0, le=DAY_S, description="Seconds with an unreliable picture.")
    clear_s: int = Field(
        30, ge=0, le=DAY_S, description="Seconds of a good picture until it closes."
    )

    @property
    def hold_s(self) -> float:
        return self.for_s

    def words(self) -> str:
        return f"unreliable for {_seconds(self.for_s)}, until reliable for {_seconds(self.clear_s)}"


Condition = Annotated[RateLow | CameraOffline | QualityInvalid, Field(discriminator="kind")]


class AlertRule(BaseModel):
    """An alert rule: its condition, cameras and channels. Immutable."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    id: str = Field(pattern=r"^[a-z0-9]{1,32}$")
    name: Annotated[str, Field(min_length=1, max_length=80), PLAIN_NAME]
    enabled: bool = True
    camera_id: Annotated[
        str, Field(max_length=32, description="Only this camera."), OPTIONAL_NAME
    ] = ""
    group: Annotated[
        str, Field(max_length=80, description="Only cameras of this group."), OPTIONAL_NAME
    ] = ""
    when: Condition
    schedule: Schedule | None = Field(
        None,
        description="When the rule may open alerts; null: always. Alerts close at any time.",
    )
    cool_down_minutes: int = Field(
        15,
        ge=0,
        le=10_080,
        description="Cooldown: minutes between two alerts at one camera.",
    )
    channels: tuple[str, ...] = Field(
        (), max_length=MOST_CHANNELS, description="Ids of the channels to notify."
    )
    created_at_s: float = Field(default_factory=time.time)

    @field_validator("channels")
    @classmethod
    def _each_once(cls, channels: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(channels))

    @model_validator(mode="after")
    def _one_scope(self) -> AlertRule:
        if self.camera_id and self.group:
            raise ValueError("expected camera_id or group or neither, which is all cameras")
        return self

    def concerns(self, camera: Camera) -> bool:
        """Whether the rule covers this camera. Browsers' webcams never raise an alert."""
        if camera.owner:
            return False
        if self.camera_id:
            return camera.id == self.camera_id
        return self.group in {"", camera.group}

    def may_open(self, now_s: float) -> bool:
        """Whether its hours allow an alert to open now."""
        return self.schedule is None or self.schedule.covers(now_s)


RULE_CHANGEABLE: Final = frozenset(AlertRule.model_fields) - {"id", "created_at_s"}


def make_rule(**fields: Any) -> AlertRule:
    """Return a rule with a new id; raise `AlertError` naming each field that cannot be used."""
    return _validated({"id": secrets.token_hex(6), **fields})


def explain(error: ValidationError) -> str:
    """Return the faulty fields and their faults, without the values."""
    return "; ".join(
        ": ".join(filter(None, [_place(p["loc"]), field_words(p)]))
        for p in error.errors(include_url=False, include_input=False)
    )


def _place(loc: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in loc if part not in ALERT_KINDS)


def _validated(fields: dict[str, Any]) -> AlertRule:
    try:
        return AlertRule.model_validate(fields)
    except ValidationError as error:
        raise AlertError(explain(error)) from None


def _percent(share: float) -> str:
    return f"{share * 100:.3g} %"


def _seconds(seconds: float) -> str:
    if seconds >= 60 and seconds % 60 == 0:
        return f"{seconds / 60:g} min"
    return f"{seconds:g} s"
