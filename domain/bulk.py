"""Many rows in few statements, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Table,
    TableValuedAlias,
    bindparam,
    cast,
    column,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from domain.errors import LimitExceeded

# SQLite takes at most 32 766 values in one statement, PostgreSQL 65 535.
MOST_ROWS_AT_ONCE = 10_000

RowKey = TypeVar("RowKey", bound=Hashable)
Values = tuple[Any, ...]


@dataclass(slots=True)
class Changes(Generic[RowKey]):
    """What a sequence of rows, taken one after the other, does to those that are stored.

    Attributes:
        added, replaced, unchanged: of the sequence's rows, so a later row may replace an earlier.
        written: what has to be written, by key; no row that is stored so already.
    """

    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    written: dict[RowKey, Values] = field(default_factory=dict)


def check_size(rows: Sequence[object], *, items: str) -> None:
    """Raise LimitExceeded where there are more rows than the statements here can take."""
    if len(rows) > MOST_ROWS_AT_ONCE:
        raise LimitExceeded(
            f"Send at most {MOST_ROWS_AT_ONCE} {items} at once, not {len(rows)}.", path=(items,)
        )


def compare(
    stored: Mapping[RowKey, Values], rows: Iterable[tuple[RowKey, Values]]
) -> Changes[RowKey]:
    """What storing ``rows`` over those that are ``stored`` changes."""
    changes: Changes[RowKey] = Changes()
    current = dict(stored)
    for key, values in rows:
        before = current.get(key)
        if before is None:
            changes.added += 1
        elif before == values:
            changes.unchanged += 1
        else:
            changes.replaced += 1
        current[key] = values
        changes.written[key] = values
    changes.written = {
        key: values for key, values in changes.written.items() if stored.get(key) != values
    }
    return changes


def upsert(
    session: Session, table: Table, rows: Sequence[Mapping[str, Any]], *, key: Sequence[str]
) -> None:
    """Insert rows of equal columns; where one of that unique key exists, replace its values."""
    if not rows:
        return
    statement = _insert(session, table)
    replaced = {name: statement.excluded[name] for name in rows[0] if name not in key}
    session.connection().execute(
        statement.on_conflict_do_update(index_elements=list(key), set_=replaced), list(rows)
    )


def insert_missing(
    session: Session, table: Table, rows: Sequence[Mapping[str, Any]], *, key: Sequence[str]
) -> None:
    """Insert the rows of whose unique key there is none yet; leave the others as they are."""
    if rows:
        statement = _insert(session, table).on_conflict_do_nothing(index_elements=list(key))
        session.connection().execute(statement, list(rows))


def update_amounts(
    session: Session, table: Table, column: str, ids: Sequence[int], cents: Sequence[int]
) -> None:
    """Give each of these rows, named by their primary key, its new amount."""
    (key,) = table.primary_key
    if _is_postgresql(session):
        new = _unnested(ids=ids, cents=cents)
        # Without the bounds it would read the whole table for each few thousand rows.
        is_among = key.between(min(ids), max(ids))
        statement = update(table).where(key == new.c.ids, is_among).values({column: new.c.cents})
        session.connection().execute(statement)
        return
    statement = (
        update(table)
        .where(key == bindparam("row"))
        .values({column: bindparam("cents", type_=BigInteger)})
    )
    rows = [{"row": row, "cents": each} for row, each in zip(ids, cents, strict=True)]
    session.connection().execute(statement, rows)


def insert_columns(
    session: Session,
    table: Table,
    columns: Mapping[str, Sequence[int]],
    *,
    shared: Mapping[str, Any],
) -> None:
    """Insert rows that are given by column.

    Args:
        columns: whole numbers, amounts as hundredths, as many in each.
        shared: what all rows have.
    """
    if _is_postgresql(session):
        new = _unnested(**columns)
        values = [literal(value, table.c[name].type) for name, value in shared.items()]
        session.connection().execute(
            insert(table).from_select([*columns, *shared], select(*new.c, *values))
        )
        return
    given = {name: bindparam(name, type_=BigInteger) for name in columns}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    session.connection().execute(insert(table).values({**given, **shared}), rows)


def _unnested(**columns: Sequence[int]) -> TableValuedAlias:
    """The columns as a table that a statement can read: one statement for any number of rows."""
    # As one text: the driver would look at every number.
    arrays = [
        cast(literal(f"{{{','.join(map(str, each))}}}"), ARRAY(BigInteger))
        for each in columns.values()
    ]
    names = [column(name, BigInteger) for name in columns]
    return func.unnest(*arrays).table_valued(*names).render_derived(name="new")


def _is_postgresql(session: Session) -> bool:
    return session.connection().dialect.name == "postgresql"


def _insert(session: Session, table: Table) -> sqlite.Insert | postgresql.Insert:
    # The same clauses in both, but SQLAlchemy has no common class for them.
    if _is_postgresql(session):
        return postgresql.insert(table)
    return sqlite.insert(table)
