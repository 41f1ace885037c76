"""What an identity provider calls the roles, and which of Forecourt's each name stands for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from domain.tables import Role

RoleNames = Mapping[str, frozenset[Role]]


def parse(text: str) -> RoleNames:
    """The names in a setting: ``pricing-team=PRICING,heads=APPROVER,heads=SALES``, or JSON.

    A JSON object is for names with commas, such as those of LDAP groups; its values are a role or a
    list of them. Names count to the letter.

    Raises:
        ValueError: says which part is no name with a role.
    """
    roles: dict[str, frozenset[Role]] = {}
    for name, role in _from_json(text) if text.lstrip().startswith("{") else _from_pairs(text):
        if not name:
            raise ValueError(f"a name is missing before ={role}")
        roles[name] = roles.get(name, frozenset()) | {_role(role)}
    return roles


def _from_pairs(text: str) -> Iterator[tuple[str, str]]:
    for pair in filter(None, (part.strip() for part in text.split(","))):
        name, sign, role = pair.rpartition("=")
        if not sign:
            raise ValueError(f"{pair!r} has no role: write name=ROLE")
        yield name.strip(), role.strip()


def _from_json(text: str) -> Iterator[tuple[str, str]]:
    try:
        named: dict[str, Any] = json.loads(text)
    except ValueError as fault:
        raise ValueError(f"it begins as a JSON object, and is none: {fault}") from None
    for name, roles in named.items():
        for role in roles if isinstance(roles, list) else [roles]:
            yield name, str(role)


def _role(name: str) -> Role:
    try:
        return Role(name.upper())
    except ValueError:
        raise ValueError(f"{name!r} is no role: choose of {', '.join(Role)}") from None
