"""Words of the business as GraphQL enums, each value described."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import strawberry
from strawberry.types.enum import EnumValue, StrawberryEnumDefinition


def describe(
    kind: type[StrEnum],
    description: str,
    values: Mapping[StrEnum, str],
    *,
    name: str | None = None,
) -> None:
    """Make an enum of the domain one of the schema, without the domain knowing.

    Args:
        values: what each member means; every member has to be there.
    """
    missing = set(kind) - set(values)
    if missing:
        raise TypeError(f"{kind.__name__} has members without a description: {missing}")
    strawberry.enum(kind, name=name, description=description)
    definition: StrawberryEnumDefinition = kind.__strawberry_definition__  # type: ignore[attr-defined]
    definition.values = [
        EnumValue(name=member.name, value=member.value, description=values[member])
        for member in kind
    ]
