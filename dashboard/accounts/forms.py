"""The forms of the pages about accounts."""

from __future__ import annotations

from typing import Final

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    IntegerField,
    PasswordField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
)
from wtforms.validators import EqualTo, InputRequired, Length, NumberRange

from bus.stores.accounts.api_keys import LONGEST_DAYS
from contract.accounts.grants import EVERYWHERE, ROLES, Role
from dashboard.accounts.passwords import LONGEST, SHORTEST

_NO_ROLE: Final = ""


class SignInForm(FlaskForm):  # type: ignore[misc]
    """Name and password."""

    name = StringField("Name", [InputRequired("Enter your name."), Length(max=64)])
    password = PasswordField("Password", [InputRequired("Enter a password.")])


class NewPasswordForm(FlaskForm):  # type: ignore[misc]
    """A password, twice."""

    password = PasswordField(
        "New password",
        [InputRequired("Enter a password."), Length(SHORTEST, LONGEST)],
        description=f"At least {SHORTEST} characters. A few unrelated words "
        "are better than symbols.",
    )
    again = PasswordField("Repeat password", [EqualTo("password", "The passwords do not match.")])


class ChangePasswordForm(NewPasswordForm):
    """The current password and the new one."""

    current = PasswordField("Current password", [InputRequired("Enter a password.")])


class GrantsForm(FlaskForm):  # type: ignore[misc]
    """A role for all cameras, and one for each group; `grants_form` adds the groups."""

    role_everywhere = SelectField(
        "All cameras", choices=[SelectChoice(_NO_ROLE, "no role"), *map(SelectChoice, ROLES)]
    )

    def group_fields(self) -> list[tuple[str, SelectField]]:
        """The groups and their fields."""
        return [(group, self[field]) for group, field in self.groups_by_field()]

    @classmethod
    def groups_by_field(cls) -> list[tuple[str, str]]:
        """Groups and the names of their fields."""
        return []

    def grants(self) -> dict[str, Role]:
        """Return the chosen roles."""
        chosen = {EVERYWHERE: self.role_everywhere.data}
        chosen |= {group: field.data for group, field in self.group_fields()}
        return {group: role for group, role in chosen.items() if role in ROLES}

    def show(self, grants: dict[str, Role]) -> None:
        """Select the account's roles."""
        self.role_everywhere.data = grants.get(EVERYWHERE, _NO_ROLE)
        for group, field in self.group_fields():
            field.data = grants.get(group, _NO_ROLE)


class UserForm(GrantsForm):
    """A new account."""

    name = StringField("Name", [InputRequired("Enter a name for the account."), Length(max=64)])


class UserChangeForm(GrantsForm):
    """An account's roles, and whether it may sign in."""

    enabled = BooleanField("Enabled")


class KeyForm(GrantsForm):
    """A new API key."""

    name = StringField(
        "Name",
        [InputRequired("Give the key a name."), Length(max=64)],
        description="The purpose of the key, such as “Prometheus” or “Home Assistant”.",
    )
    kind = RadioField(
        "May",
        choices=[
            SelectChoice("api", "do what the roles below allow"),
            SelectChoice("metrics", "read /metrics only"),
        ],
        default="api",
    )
    days = IntegerField(
        "Works for, days", [InputRequired("How long?"), NumberRange(1, LONGEST_DAYS)], default=90
    )


class PlainForm(FlaskForm):  # type: ignore[misc]
    """A form that is only a button, with the protection against other sites."""


def with_groups(form: type[GrantsForm], groups: list[str]) -> type[GrantsForm]:
    """Return `form` with a role to choose for each group of cameras."""
    fields = [(group, f"role_in_{number}") for number, group in enumerate(groups)]
    choices = [SelectChoice(_NO_ROLE, "as for all cameras"), *map(SelectChoice, ROLES)]
    selects = {name: SelectField(group, choices=choices) for group, name in fields}
    return type(
        form.__name__, (form,), {**selects, "groups_by_field": classmethod(lambda _: fields)}
    )
