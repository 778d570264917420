"""Roles of accounts, for all cameras or for groups of cameras."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from contract.errors import AccountError
from contract.names import check_name
from contract.plain_text import escaped

Role = Literal["viewer", "operator", "administrator"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
"""Roles in rising order: each includes the permissions of the roles before it."""

EVERYWHERE: Final = "*"
"""Stands for all cameras, with and without a group."""

LONGEST_GROUP: Final = 80


@dataclass(frozen=True)
class Grants:
    """Roles by group of cameras; `*` holds for all of them."""

    by_group: Mapping[str, Role]

    def role_in(self, group: str) -> Role | None:
        """Return the highest role for cameras of `group`; `""` means cameras without a group."""
        held = [self.by_group[name] for name in (EVERYWHERE, group) if name in self.by_group]
        return max(held, key=ROLES.index, default=None)

    def allow(self, needed: Role, group: str) -> bool:
        """Whether these grants include the role `needed` for cameras of `group`."""
        return reaches(self.role_in(group), needed)

    def allow_somewhere(self, needed: Role) -> bool:
        """Whether these grants include the role `needed` for some group."""
        return any(reaches(role, needed) for role in self.by_group.values())

    def allow_everywhere(self, needed: Role) -> bool:
        """Whether these grants include the role `needed` for all cameras, present and future."""
        return reaches(self.by_group.get(EVERYWHERE), needed)

    def groups(self) -> frozenset[str] | None:
        """Return the groups whose cameras the account may see; None means all cameras."""
        return None if EVERYWHERE in self.by_group else frozenset(self.by_group)

    def words(self) -> str:
        """Return the grants in words: `viewer; operator in Terminal 2`."""
        return "; ".join(
            role if group == EVERYWHERE else f"{role} in {group}"
            for group, role in sorted(self.by_group.items(), key=lambda item: item[0])
        )


def reaches(role: Role | None, needed: Role) -> bool:
    """Whether `role` includes all permissions of `needed`."""
    return role is not None and ROLES.index(role) >= ROLES.index(needed)


def parse_grants(parts: Iterable[str]) -> dict[str, Role]:
    """Read `viewer` and `operator:Terminal 2` into roles by group.

    >>> parse_grants(["viewer", "operator:Terminal 2"])
    {'*': 'viewer', 'Terminal 2': 'operator'}

    Raises:
        AccountError: a role is unknown, or a group appears twice.
    """
    grants: dict[str, Role] = {}
    for part in parts:
        word, colon, group = (piece.strip() for piece in part.partition(":"))
        role = next((one for one in ROLES if one == word), None)
        if role is None or (colon and not group):
            raise AccountError(
                f"role {part[:80]!r}: expected {', '.join(ROLES)}, or one of them with a group, "
                "such as 'operator:Terminal 2'"
            )
        where = _group_named(group) if group else EVERYWHERE
        if where in grants:
            raise AccountError(f"role: {where} appears twice")
        grants[where] = role
    return grants


def _group_named(group: str) -> str:
    if len(group) > LONGEST_GROUP:
        raise AccountError(f"role: a group's name has at most {LONGEST_GROUP} characters")
    try:
        return check_name(group)
    except ValueError as error:
        raise AccountError(f"role for {escaped(group)!r}: {error}") from None
