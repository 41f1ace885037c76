"""Imports: a file of listings, stock or sales into a market, chunk by chunk.

Each chunk is a unit of work of its own, and a row that is stored already counts as unchanged. So an
import that was interrupted is simply run again, and ends as if it had not been.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol, TypeVar

from sqlmodel import Session

from domain import listings, markets, sales, stock, tables
from domain.database import Database
from domain.errors import Invalid
from domain.files.layouts import LISTINGS, SALES, STOCK, Binding, Layout
from domain.files.profiles import Profile
from domain.files.readers import Record, opened_table
from domain.files.rejects import RejectsFile, opened_rejects
from domain.plausibility import Fault, Implausible

CHUNK_ROWS = 5_000

Row = TypeVar("Row")


class Added(Protocol):
    """What a service says became of the rows that it was given."""

    @property
    def added(self) -> int: ...
    @property
    def replaced(self) -> int: ...
    @property
    def unchanged(self) -> int: ...
    @property
    def refusals(self) -> tuple[Implausible, ...]: ...


@dataclass(slots=True)
class ImportReport:
    """What became of the rows of a file, so far.

    ``read`` is the sum of ``added``, ``replaced``, ``unchanged`` and ``rejected``.

    Attributes:
        share: how much of the file has been read, 0 to 1.
        unchanged: rows that were stored exactly so: duplicates, or an import that is run again.
        reasons: rejected rows by their first fault, e.g. ``impossible release_year``.
        not_stated: cells by which, the profile says, the source states nothing, by our column.
        ignored: columns of the file that nothing is read from.
    """

    ignored: tuple[str, ...] = ()
    share: float = 0.0
    read: int = 0
    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    seconds: float = 0.0
    reasons: Counter[str] = field(default_factory=Counter)
    not_stated: Counter[str] = field(default_factory=Counter)

    @property
    def rejected(self) -> int:
        """Rows with a fault."""
        return self.reasons.total()

    @property
    def rows_per_second(self) -> float:
        """How fast it went."""
        return self.read / self.seconds if self.seconds else 0.0


Store = Callable[[Session, tables.Market, Sequence[Any]], Added]
Watch = Callable[[ImportReport], None]


def import_listings(
    database: Database,
    path: Path,
    *,
    market: str,
    now: datetime,
    profile: Profile | None = None,
    rejects: Path | None = None,
    watch: Watch = lambda _report: None,
) -> ImportReport:
    """Add the listings of a file to a market.

    Args:
        profile: how the file's layout maps onto ours; None where it is ours.
        rejects: where to write the rows that were not taken.
        watch: called with the report after each chunk.

    Raises:
        NotFound: there is no such market.
        Invalid: the file cannot be read, from its start or from some row on; what was read before
            is stored, and importing the mended file completes it.
    """

    def store(session: Session, market: tables.Market, rows: Sequence[Any]) -> Added:
        return listings.add_listings(session, market, rows, today=now.date())

    return _Import(database, market, store, watch).run(path, LISTINGS, profile, rejects)


def import_stock(
    database: Database,
    path: Path,
    *,
    market: str,
    now: datetime,
    profile: Profile | None = None,
    rejects: Path | None = None,
    watch: Watch = lambda _report: None,
) -> ImportReport:
    """Bring a market's stock up to date with a file; as ``import_listings`` otherwise."""
    reason = f"import of {path.name}"

    def store(session: Session, market: tables.Market, rows: Sequence[Any]) -> Added:
        return stock.add_vehicles(session, market, rows, today=now.date(), now=now, reason=reason)

    report = _Import(database, market, store, watch).run(path, STOCK, profile, rejects)
    if report.added:
        database.count_anew(tables.Vehicle, tables.AskingPrice, tables.PriceChange)
    return report


def import_sales(
    database: Database,
    path: Path,
    *,
    market: str,
    now: datetime,
    rejects: Path | None = None,
    watch: Watch = lambda _report: None,
) -> ImportReport:
    """Bring a market's orders and payments up to date with a file; as ``import_listings``.

    A row is a payment with its order, or an order without any.
    """

    def store(session: Session, market: tables.Market, rows: Sequence[Any]) -> Added:
        return sales.add_sales(session, market, rows, today=now.date())

    return _Import(database, market, store, watch).run(path, SALES, None, rejects)


class _Import:
    """One run over one file."""

    def __init__(self, database: Database, market: str, store: Store, watch: Watch) -> None:
        self._database, self._market = database, market
        self._store, self._watch = store, watch
        self._report = ImportReport()

    def run(
        self, path: Path, layout: Layout[Any], profile: Profile | None, rejects: Path | None
    ) -> ImportReport:
        began = perf_counter()
        self._check_currency(profile)
        with opened_table(path) as table:
            binding = Binding(layout, profile, table.columns)
            self._report.ignored = binding.ignored
            self._report.not_stated = binding.not_stated
            with opened_rejects(rejects, beside=path, columns=table.columns) as rejected:
                for chunk in _chunks(table.records()):
                    self._take(chunk, binding, rejected)
                    self._report.share = table.share_read()
                    self._report.seconds = perf_counter() - began
                    self._watch(self._report)
        self._report.share, self._report.seconds = 1.0, perf_counter() - began
        return self._report

    def _check_currency(self, profile: Profile | None) -> None:
        with self._database.reading() as session:
            market = markets.by_code(session, self._market)
            if profile and profile.currency and profile.currency != market.currency:
                raise Invalid(
                    f"Prices of {profile.name} are in {profile.currency}, those of market "
                    f"{market.code} in {market.currency}: import into a market of that currency.",
                    path=("profile",),
                )

    def _take(
        self, chunk: Sequence[Record], binding: Binding[Any], rejected: RejectsFile | None
    ) -> None:
        faults: dict[int, list[Fault]] = {}
        readable: list[Record] = []
        rows: list[Any] = []
        for record in chunk:
            row = binding.row(record)
            if isinstance(row, list):
                faults[record.number] = row
            else:
                readable.append(record)
                rows.append(row)
        with self._database.unit_of_work() as session:
            added = self._store(session, markets.by_code(session, self._market), rows)
        for refusal in added.refusals:
            faults.setdefault(readable[refusal.item].number, []).append(refusal.fault)
        self._count(chunk, added, faults)
        if rejected is not None:
            for record in chunk:
                if record.number in faults:
                    rejected.add(record, [fault.message for fault in faults[record.number]])

    def _count(self, chunk: Sequence[Record], added: Added, faults: dict[int, list[Fault]]) -> None:
        report = self._report
        report.read += len(chunk)
        report.added += added.added
        report.replaced += added.replaced
        report.unchanged += added.unchanged
        report.reasons.update(found[0].reason for found in faults.values())


def _chunks(records: Iterable[Record]) -> Iterator[list[Record]]:
    walk = iter(records)
    while chunk := list(islice(walk, CHUNK_ROWS)):
        yield chunk
