"""Pages of a list, found by the place of a row in a total order.

A walk over the pages meets every row once, also while rows are added or removed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, func, literal, select, tuple_
from sqlalchemy.orm import Session

from domain.errors import Invalid
from domain.tables.columns import Amount, Instant

DEFAULT_SIZE = 50
MAX_SIZE = 200
MAX_INTEGER = 2**63 - 1

Place = tuple[Any, ...]
"""Where a row stands: the values of the columns that order the list."""


class Direction(StrEnum):
    """Which end of an order comes first."""

    ASC = "ASC"
    DESC = "DESC"


@dataclass(frozen=True, slots=True)
class Ordered:
    """Rows to page through, in a total order.

    Attributes:
        statement: a select without ORDER BY and LIMIT; of one entity, or of columns.
        by: the columns that order the rows, never NULL; the last one is unique, e.g. the id.
        descending: whether the greatest comes first.
    """

    statement: Any
    by: tuple[Any, ...]
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """Which page is asked for: the first ``size`` rows between two places, or the last."""

    size: int = DEFAULT_SIZE
    after: Place | None = None
    before: Place | None = None
    backwards: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One page, in the order of the list; ``places[i]`` is where ``rows[i]`` stands."""

    rows: Sequence[Any]
    places: Sequence[Place]
    has_next: bool
    has_previous: bool


def window(
    *,
    first: int | None = None,
    after: Place | None = None,
    last: int | None = None,
    before: Place | None = None,
) -> Window:
    """The page that a client asks for with the arguments of the Relay specification.

    Raises:
        Invalid: ``first`` and ``last`` together, or one that is negative or above ``MAX_SIZE``.
    """
    if first is not None and last is not None:
        raise Invalid("Ask for the first or for the last rows, not for both.", path=("last",))
    name, size = ("last", last) if last is not None else ("first", first)
    if size is not None and not 0 <= size <= MAX_SIZE:
        raise Invalid(f"A page has 0 to {MAX_SIZE} rows.", path=(name,))
    return Window(
        size=DEFAULT_SIZE if size is None else size,
        after=after,
        before=before,
        backwards=last is not None,
    )


def read_page(session: Session, ordered: Ordered, window: Window) -> Page:
    """One page, with one row more read than asked for, to know whether there are others.

    Raises:
        Invalid: a place that no row of this list can have.
    """
    falling = ordered.descending != window.backwards
    statement = (
        ordered.statement.add_columns(*ordered.by)
        .order_by(*(each.desc() if falling else each.asc() for each in ordered.by))
        .limit(window.size + 1)
    )
    key = tuple_(*ordered.by)
    if window.after is not None:
        place = _place(ordered, window.after, "after")
        statement = statement.where(key < place if ordered.descending else key > place)
    if window.before is not None:
        place = _place(ordered, window.before, "before")
        statement = statement.where(key > place if ordered.descending else key < place)

    found = session.execute(statement).all()
    more = len(found) > window.size
    kept = list(found[: window.size])
    if window.backwards:
        kept.reverse()
    width = len(ordered.by)
    alone = len(kept[0]) == width + 1 if kept else False
    return Page(
        rows=[row[0] if alone else row[:-width] for row in kept],
        places=[tuple(row[-width:]) for row in kept],
        # A cursor was a row's place, so on its other side there is at least that row.
        has_next=window.before is not None if window.backwards else more,
        has_previous=more if window.backwards else window.after is not None,
    )


def list_page(
    session: Session, listed: Callable[[Session], Ordered], window: Window
) -> tuple[Ordered, Page]:
    """A list and one page of it, in one go.

    Raises:
        Invalid: a place that no row of this list can have; and whatever ``listed`` raises.
    """
    ordered = listed(session)
    return ordered, read_page(session, ordered, window)


def count_rows(session: Session, ordered: Ordered) -> int:
    """How many rows the whole list has."""
    rows = ordered.statement.with_only_columns(ordered.by[-1], maintain_column_froms=True)
    return session.scalars(select(func.count()).select_from(rows.subquery())).one()


def _place(ordered: Ordered, values: Place, name: str) -> Any:
    if len(values) != len(ordered.by) or not all(
        _fits(value, column) for value, column in zip(values, ordered.by, strict=True)
    ):
        raise Invalid("This cursor belongs to another list.", path=(name,))
    return tuple_(
        *(literal(value, column.type) for value, column in zip(values, ordered.by, strict=True))
    )


def _fits(value: Any, column: ColumnElement[Any]) -> bool:
    """Whether the column could hold the value: cursors come from outside."""
    if isinstance(column.type, Amount):
        return isinstance(value, Decimal) and _is_whole_cents(value)
    if isinstance(column.type, Instant):
        return isinstance(value, datetime) and value.tzinfo is not None
    # A type of SQLModel's or of ours tells what it holds by the plain type below it.
    expected = getattr(column.type, "impl_instance", column.type).python_type
    if expected is date:
        return isinstance(value, date) and not isinstance(value, datetime)
    if expected is int:
        return isinstance(value, int) and abs(value) <= MAX_INTEGER
    if expected is float:
        return isinstance(value, float) and math.isfinite(value)
    return issubclass(expected, str) and isinstance(value, str) and "\0" not in value


def _is_whole_cents(value: Decimal) -> bool:
    if not value.is_finite() or abs(value.adjusted()) > len(str(MAX_INTEGER)):
        return False
    cents = value.scaleb(2)
    return abs(cents) <= MAX_INTEGER and cents == int(cents)
