"""What a field costs: one point for each object it can return, said beside the field.

A field without a word here is still priced: an object costs one point, a list as many as its
``first`` or ``last`` allows, or as the size assumed for lists without one. Scalars are free. What a
list is said to hold is the most that it answers, so that no request returns more than it paid for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

KEY: Final = "cost"

SIZED_BY_PARENT: Final = "parent"


@dataclass(frozen=True, slots=True)
class FieldCost:
    """How one field is priced.

    Attributes:
        weight: points for resolving the field once, whatever it returns.
        size: the most items that the list holds; "parent" takes the size that the field above it
            counted, as the ``edges`` of a connection and the results of a batch do.
        count: path of the argument that is the size, or whose length is, e.g. ``input.vehicles``;
            where it is absent the size holds.
    """

    weight: int = 0
    size: int | str | None = None
    count: str | None = None


def cost(
    *, weight: int = 0, size: int | str | None = None, count: str | None = None
) -> Mapping[str, Any]:
    """Metadata for ``strawberry.field``: see ``FieldCost``."""
    return {KEY: FieldCost(weight=weight, size=size, count=count)}


UNSTATED: Final = FieldCost()


def cost_of(metadata: Mapping[str, Any]) -> FieldCost:
    """What was said of a field, or that nothing was."""
    stated = metadata.get(KEY)
    return stated if isinstance(stated, FieldCost) else UNSTATED
