"""A file of described vehicles, priced: its rows with the price that a quote would promise.

The rows keep their order and all their columns. What cannot be priced is counted by reason, and is
written to a file of its own where one is asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from itertools import chain, islice
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlmodel import Session

from domain.database import Database
from domain.errors import Invalid, Refusal, Refusals
from domain.files import writers
from domain.files.layouts import DESCRIPTIONS, Binding
from domain.files.readers import Record, opened_table
from domain.files.rejects import ADDED_COLUMNS, RejectsFile, opened_rejects
from domain.files.writers import RowsFile, opened_rows
from domain.plausibility import Fault
from domain.predictions import MAX_VEHICLES
from domain.quotes import BulkPrice, BulkPricing, QuotedVehicle
from domain.snapshots import PricingSnapshot

PART_ROWS = 2_000
"""So many rows are read, priced and written at once."""

WORTHWHILE_ROWS = 10_000
"""Rows that this process prices before it lets others help: they take seconds to start."""

PRICED_COLUMNS = {
    "match": writers.TEXT,
    "match_score": writers.NUMBER,
    "market_price": writers.AMOUNT,
    "market_low": writers.AMOUNT,
    "market_high": writers.AMOUNT,
    "rule": writers.TEXT,
    "final_price": writers.AMOUNT,
    "currency": writers.TEXT,
    "review_reasons": writers.TEXT,
}
"""What is added to the columns of the file; where it has one of this name, it is replaced."""


@dataclass(slots=True)
class PricingReport:
    """What became of the rows of a file, so far.

    Attributes:
        share: how much of the file has been read, 0 to 1.
        reasons: rows that were not priced, by their first fault, e.g. ``NO_MATCH``.
        ignored: columns of the file that nothing is read from.
    """

    ignored: tuple[str, ...] = ()
    share: float = 0.0
    read: int = 0
    priced: int = 0
    seconds: float = 0.0
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def rejected(self) -> int:
        """Rows without a price."""
        return self.reasons.total()

    @property
    def rows_per_second(self) -> float:
        """How fast it went."""
        return self.read / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """Why a row has no price.

    Attributes:
        reason: what it is counted by, e.g. ``NO_MATCH``.
    """

    reason: str
    messages: list[str]


Part = list[Record]
Outcome = list[Any] | RejectedRow
"""The cells of ``PRICED_COLUMNS`` for a row, or why there are none."""

Divided = Callable[[Sequence[str], Iterator[Part]], Iterator[tuple[Part, list[Outcome]]]]
"""Prices the parts of a file of these columns elsewhere, and gives them back in their order."""


def price_file(
    database: Database,
    path: Path,
    output: Path,
    *,
    pricing: PricingSnapshot,
    on: date,
    rejects: Path | None = None,
    divided: Divided | None = None,
    watch: Callable[[PricingReport], None] = lambda _report: None,
) -> PricingReport:
    """Price the vehicles of a file, with champion and strategies of one moment throughout.

    Args:
        output: CSV or Parquet by its name; nothing is there until all is done.
        on: the day to which ages and days in stock are counted.
        rejects: where to write the rows that could not be priced.
        divided: who prices what follows the first ``WORTHWHILE_ROWS``, with that same pricing;
            this process where absent.
        watch: called with the report after each part of the file.

    Raises:
        Refusals: the market has no champion, or no strategy in force.
        Invalid: a file cannot be read or written.
    """
    began = perf_counter()
    report = PricingReport()
    if output.exists() and output.samefile(path):
        raise Invalid(f"{output} is the file to read: name another one.", path=("output",))
    with opened_table(path) as table:
        rows = RowPricing(pricing, table.columns, on=on)
        report.ignored = tuple(each for each in rows.ignored if each not in PRICED_COLUMNS)
        kept = [
            place
            for place, name in enumerate(table.columns)
            if name and name not in PRICED_COLUMNS and name not in ADDED_COLUMNS
        ]
        columns = {table.columns[place]: writers.TEXT for place in kept} | PRICED_COLUMNS
        with (
            opened_rows(output, columns) as priced,
            opened_rejects(rejects, beside=path, columns=table.columns) as rejected,
            # Whoever helps is told to stop at once when a row cannot be written.
            closing(_priced(database, rows, _parts(table.records()), divided)) as outcomes,
        ):
            for part, found in outcomes:
                _write(part, found, kept, priced, rejected, report)
                report.share, report.seconds = table.share_read(), perf_counter() - began
                watch(report)
    report.share, report.seconds = 1.0, perf_counter() - began
    return report


class RowPricing:
    """Prices rows of files of the same columns, with the pricing of one moment."""

    def __init__(self, pricing: PricingSnapshot, columns: Sequence[str], *, on: date) -> None:
        """Compile what the rows are priced with.

        Raises:
            Refusals: the market has no champion, or no strategy in force.
            Invalid: columns are lacking.
        """
        self.columns = columns
        self._bulk = BulkPricing(pricing)
        self._binding = Binding(DESCRIPTIONS, None, columns)
        self._currency, self._on = pricing.currency, on

    @property
    def ignored(self) -> tuple[str, ...]:
        """Columns that nothing is read from."""
        return self._binding.ignored

    def price(self, session: Session, records: Sequence[Record]) -> list[Outcome]:
        """What becomes of each row."""
        read = [self._binding.row(record) for record in records]
        vehicles = [row for row in read if isinstance(row, QuotedVehicle)]
        found: list[BulkPrice | Refusals] = []
        for start in range(0, len(vehicles), MAX_VEHICLES):
            some = vehicles[start : start + MAX_VEHICLES]
            found += self._bulk.price(session, some, on=self._on)
        prices = iter(found)
        return [
            self._outcome(next(prices) if isinstance(row, QuotedVehicle) else row) for row in read
        ]

    def _outcome(self, found: BulkPrice | Refusals | list[Fault]) -> Outcome:
        if isinstance(found, BulkPrice):
            return self._cells(found)
        faults = found.refusals if isinstance(found, Refusals) else found
        return RejectedRow(_reason(faults[0]), [fault.message for fault in faults])

    def _cells(self, priced: BulkPrice) -> list[Any]:
        candidate, estimate = priced.matched.candidate, priced.estimate
        entry = candidate.entry
        return [
            " ".join(part for part in (entry.brand, entry.model, entry.version) if part),
            candidate.score,
            estimate.market_price,
            estimate.low,
            estimate.high,
            priced.rule_key,
            priced.price,
            self._currency,
            " ".join(priced.review_reasons),
        ]


def _parts(records: Iterable[Record]) -> Iterator[Part]:
    walk = iter(records)
    while part := list(islice(walk, PART_ROWS)):
        yield part


def _priced(
    database: Database, rows: RowPricing, parts: Iterator[Part], divided: Divided | None
) -> Generator[tuple[Part, list[Outcome]], None, None]:
    """Each part with what became of its rows, in the order of the file."""
    for part in parts if divided is None else islice(parts, WORTHWHILE_ROWS // PART_ROWS):
        with database.reading() as session:
            outcomes = rows.price(session, part)
        yield part, outcomes
    following = None if divided is None else next(parts, None)
    if divided is not None and following is not None:
        yield from divided(rows.columns, chain([following], parts))


def _write(
    part: Part,
    outcomes: Sequence[Outcome],
    kept: Sequence[int],
    priced: RowsFile,
    rejected: RejectsFile | None,
    report: PricingReport,
) -> None:
    rows = []
    for record, outcome in zip(part, outcomes, strict=True):
        if isinstance(outcome, RejectedRow):
            report.reasons[outcome.reason] += 1
            if rejected is not None:
                rejected.add(record, outcome.messages)
        else:
            rows.append([*(_text(record.cells[at]) for at in kept), *outcome])
    priced.write(rows)
    report.read += len(part)
    report.priced += len(rows)


def _reason(fault: Refusal | Fault) -> str:
    """What faults are counted by: those of a cell as in an import, others by their code."""
    if isinstance(fault, Refusal):
        return " ".join([fault.code, *(str(each) for each in fault.path[-1:])])
    return str(fault.reason)


def _text(cell: object) -> str | None:
    return None if cell is None else str(cell)
