"""The catalogue: the vehicle specifications that a market has seen in its listings and stock.

It is derived, and kept up to date with what it is derived from, in the same unit of work. Spellings
that fold to the same words are one specification; its names are those that came first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import fields
from typing import Any, NamedTuple

from sqlalchemy import Integer, Table, bindparam, case, func, select, update
from sqlmodel import Session, SQLModel, col

from domain import bulk, tables, vehicles
from domain.vehicles import Specification
from domain.vocabulary import brand_name, fold

_ENTRY: Table = SQLModel.metadata.tables[tables.CatalogueEntry.__tablename__]
# Where in PostgreSQL's one space of advisory locks those of the markets lie.
_TURNS = 0x464F5245 << 32

_MARKET: Table = SQLModel.metadata.tables[tables.Market.__tablename__]
_LISTING: Table = SQLModel.metadata.tables[tables.Listing.__tablename__]
_VEHICLE: Table = SQLModel.metadata.tables[tables.Vehicle.__tablename__]

# Of which the fields of a specification consist; no folded text holds it.
_SEPARATOR = "|"


class Registered(NamedTuple):
    """A catalogue entry's id, and the names by which the catalogue calls it."""

    id: int
    brand: str
    model: str
    version: str | None


class Sighting(NamedTuple):
    """A listing or stock vehicle as the catalogue counts it."""

    entry_id: int
    release_year: int


class Sighted(NamedTuple):
    """How often an entry was seen, and in which years of release."""

    seen: int
    first_year: int
    last_year: int


def lock(session: Session, market_id: int) -> None:
    """Let no other unit of work change this market's catalogue before the present one ends.

    SQLite has one writer at a time anyway. Readers, and writers of anything else, do not wait.
    """
    _take_turn(session, func.pg_advisory_xact_lock, market_id)
    session.connection().execute(
        select(_MARKET.c.id).where(_MARKET.c.id == market_id).with_for_update(key_share=True)
    )


def share(session: Session, market_id: int) -> None:
    """Let nobody ``lock`` this market before the present unit of work ends; others may share it.

    Who waits for the lock comes before those that ask to share it later: PostgreSQL serves these
    locks in turn, which it does not do with locks of rows.
    """
    _take_turn(session, func.pg_advisory_xact_lock_shared, market_id)


def _take_turn(session: Session, lock: Callable[[int], Any], market_id: int) -> None:
    if session.get_bind().dialect.name == "postgresql":
        session.connection().execute(select(lock(_TURNS + market_id)))


def register(
    session: Session, market_id: int, specifications: Collection[Specification]
) -> dict[Specification, Registered]:
    """The catalogue entry of each specification; makes those that there are not yet.

    A new one counts no sighting until ``account`` or ``recount`` says so. The market is ``lock``ed.
    """
    keys = {each: key_of(each) for each in specifications}
    known = _known(session, market_id, set(keys.values()))
    new = [each for each, key in keys.items() if key not in known]
    if new:
        _make(session, market_id, new, keys)
        known |= _known(session, market_id, {keys[each] for each in new})
    return {each: known[key] for each, key in keys.items()}


def key_of(specification: Specification) -> str:
    """The folded fields in one string: equal for two spellings of the same specification."""
    brand, model, version, fuel, gearbox, *numbers = specification
    texts = (fold(brand_name(brand)), fold(model), fold(version) if version else "")
    plain = ("" if value is None else str(value) for value in (fuel, gearbox, *numbers))
    return _SEPARATOR.join((*texts, *plain))


def words_of(brand: str, model: str, version: str | None) -> str:
    """What a search looks through: the names of an entry, folded."""
    return " ".join(fold(name) for name in (brand, model, version) if name)


def account(
    session: Session, market_id: int, moves: Iterable[tuple[Sighting | None, Sighting]]
) -> None:
    """Keep the counts true after listings or stock vehicles were written.

    Adding is counted in; where a row left an entry or a year, that may have been the first or the
    last one, and only counting anew tells.

    Args:
        moves: of each written row, what it was before (None: new) and what it is now.
    """
    lost: set[int] = set()
    gained: list[Sighting] = []
    for before, after in moves:
        if before == after:
            continue
        if before is not None:
            lost.add(before.entry_id)
        gained.append(after)
    if not gained:
        return
    recount(session, lost)
    _count_in(session, [each for each in gained if each.entry_id not in lost])
    _bump_revision(session, market_id)


def recount(session: Session, entry_ids: Collection[int]) -> None:
    """Count anew how often and in which years these entries were seen."""
    if not entry_ids:
        return
    counted: dict[int, list[Sighted]] = {entry_id: [] for entry_id in entry_ids}
    for table in (_LISTING, _VEHICLE):
        year = table.c.release_year
        query = (
            select(table.c.entry_id, func.count(), func.min(year), func.max(year))
            .where(table.c.entry_id.in_(entry_ids))
            .group_by(table.c.entry_id)
        )
        for entry_id, seen, first, last in session.connection().execute(query):
            counted[entry_id].append(Sighted(seen, first, last))
    statement = (
        update(_ENTRY)
        .where(_ENTRY.c.id == bindparam("entry"))
        .values(
            seen=bindparam("seen"),
            first_year=bindparam("first_year"),
            last_year=bindparam("last_year"),
        )
    )
    rows = [
        {
            "entry": entry_id,
            "seen": sum(each.seen for each in found),
            "first_year": min((each.first_year for each in found), default=None),
            "last_year": max((each.last_year for each in found), default=None),
        }
        for entry_id, found in counted.items()
    ]
    session.connection().execute(statement, rows)


def brands(session: Session, *names: str) -> list[str]:
    """The catalogue names, in any market, that these names or aliases of brands may mean."""
    wanted = {fold(brand_name(name)) for name in names}
    known = session.scalars(select(col(tables.CatalogueEntry.brand)).distinct())
    return [brand for brand in known if fold(brand) in wanted]


def entries(session: Session, market_id: int) -> list[vehicles.CatalogueEntry]:
    """Every specification of a market that some listing or stock vehicle has now, by id."""
    columns = [_ENTRY.c[each.name] for each in fields(vehicles.CatalogueEntry)]
    query = (
        select(*columns)
        .where(_ENTRY.c.market_id == market_id, _ENTRY.c.seen > 0)
        .order_by(_ENTRY.c.id)
    )
    return [vehicles.CatalogueEntry(*row) for row in session.connection().execute(query)]


def _known(session: Session, market_id: int, keys: Collection[str]) -> dict[str, Registered]:
    entry = _ENTRY.c
    query = select(entry.specification, entry.id, entry.brand, entry.model, entry.version).where(
        entry.market_id == market_id, entry.specification.in_(keys)
    )
    return {key: Registered(*rest) for key, *rest in session.connection().execute(query)}


def _make(
    session: Session, market_id: int, new: Sequence[Specification], keys: dict[Specification, str]
) -> None:
    spellings = _Spellings(session, market_id)
    rows: dict[str, dict[str, Any]] = {}
    for each in new:
        brand, model = spellings.of(each.brand, each.model)
        words = words_of(brand, model, each.version)
        row = {**each._asdict(), "brand": brand, "model": model, "words": words}
        rows.setdefault(keys[each], {**row, "market_id": market_id, "seen": 0})
    bulk.insert_missing(
        session,
        _ENTRY,
        [{**row, "specification": key} for key, row in rows.items()],
        key=("market_id", "specification"),
    )


class _Spellings:
    """How the catalogue of a market spells its brands and models."""

    def __init__(self, session: Session, market_id: int) -> None:
        self._brands: dict[str, str] = {}
        self._models: dict[tuple[str, str], str] = {}
        query = (
            select(_ENTRY.c.brand, _ENTRY.c.model)
            .where(_ENTRY.c.market_id == market_id)
            .distinct()
            .order_by(_ENTRY.c.brand, _ENTRY.c.model)
        )
        for brand, model in session.connection().execute(query):
            self.of(brand, model)

    def of(self, brand: str, model: str) -> tuple[str, str]:
        """The names of this brand and model; a spelling that is new here becomes the name."""
        brand = brand_name(brand)
        folded = fold(brand)
        return (
            self._brands.setdefault(folded, brand),
            self._models.setdefault((folded, fold(model)), model),
        )


def _count_in(session: Session, gained: Iterable[Sighting]) -> None:
    years: dict[int, list[int]] = {}
    for entry_id, year in gained:
        years.setdefault(entry_id, []).append(year)
    if not years:
        return
    entry, first, last = (
        _ENTRY.c,
        bindparam("first", type_=Integer),
        bindparam("last", type_=Integer),
    )
    statement = (
        update(_ENTRY)
        .where(entry.id == bindparam("entry"))
        .values(
            seen=entry.seen + bindparam("times", type_=Integer),
            # PostgreSQL's least() and SQLite's min() of two columns, in words that both know.
            first_year=case((entry.first_year <= first, entry.first_year), else_=first),
            last_year=case((entry.last_year >= last, entry.last_year), else_=last),
        )
    )
    rows = [
        {"entry": entry_id, "times": len(seen), "first": min(seen), "last": max(seen)}
        for entry_id, seen in years.items()
    ]
    session.connection().execute(statement, rows)


def _bump_revision(session: Session, market_id: int) -> None:
    session.connection().execute(
        update(_MARKET)
        .where(_MARKET.c.id == market_id)
        .values(catalogue_revision=_MARKET.c.catalogue_revision + 1)
    )
