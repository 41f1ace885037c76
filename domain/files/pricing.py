"""A file of described vehicles, priced: its rows with the price that a quote would promise.

The rows keep their order and all their columns. What cannot be priced is counted by reason, and is
written to a file of its own where one is asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

from domain.database import Database
from domain.errors import Invalid, Refusal, Refusals
from domain.files import writers
from domain.files.layouts import DESCRIPTIONS, Binding
from domain.files.readers import Record, opened_table
from domain.files.rejects import ADDED_COLUMNS, RejectsFile, opened_rejects
from domain.files.writers import RowsFile, opened_rows
from domain.predictions import MAX_VEHICLES
from domain.quotes import BulkPrice, BulkPricing, QuotedVehicle
from domain.snapshots import PricingSnapshot

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


def price_file(
    database: Database,
    path: Path,
    output: Path,
    *,
    pricing: PricingSnapshot,
    on: date,
    rejects: Path | None = None,
    watch: Callable[[PricingReport], None] = lambda _report: None,
) -> PricingReport:
    """Price the vehicles of a file, with champion and strategies of one moment throughout.

    Args:
        output: CSV or Parquet by its name; nothing is there until all is done.
        on: the day to which ages and days in stock are counted.
        rejects: where to write the rows that could not be priced.
        watch: called with the report after each part of the file.

    Raises:
        Refusals: the market has no champion, or no strategy in force.
        Invalid: a file cannot be read or written.
    """
    began = perf_counter()
    bulk, report = BulkPricing(pricing), PricingReport()
    if output.exists() and output.samefile(path):
        raise Invalid(f"{output} is the file to read: name another one.", path=("output",))
    with opened_table(path) as table:
        binding = Binding(DESCRIPTIONS, None, table.columns)
        kept = [
            place
            for place, name in enumerate(table.columns)
            if name and name not in PRICED_COLUMNS and name not in ADDED_COLUMNS
        ]
        report.ignored = tuple(each for each in binding.ignored if each not in PRICED_COLUMNS)
        columns = {table.columns[place]: writers.TEXT for place in kept} | PRICED_COLUMNS
        with (
            opened_rows(output, columns) as priced,
            opened_rejects(rejects, beside=path, columns=table.columns) as rejected,
        ):
            job = _Pricing(database, bulk, pricing.currency, on, kept, report)
            records = table.records()
            while chunk := list(islice(records, MAX_VEHICLES)):
                job.take(chunk, binding, priced, rejected)
                report.share, report.seconds = table.share_read(), perf_counter() - began
                watch(report)
    report.share, report.seconds = 1.0, perf_counter() - began
    return report


@dataclass(frozen=True, slots=True)
class _Pricing:
    """One run over one file."""

    database: Database
    bulk: BulkPricing
    currency: str
    on: date
    kept: Sequence[int]
    report: PricingReport

    def take(
        self,
        chunk: Sequence[Record],
        binding: Binding[QuotedVehicle],
        priced: RowsFile,
        rejected: RejectsFile | None,
    ) -> None:
        read = [(record, binding.row(record)) for record in chunk]
        vehicles = [row for _, row in read if isinstance(row, QuotedVehicle)]
        found: list[BulkPrice | Refusals] = []
        if vehicles:
            with self.database.reading() as session:
                found = self.bulk.price(session, vehicles, on=self.on)
        outcomes = iter(found)
        rows: list[list[Any]] = []
        for record, row in read:
            outcome = next(outcomes) if isinstance(row, QuotedVehicle) else row
            if isinstance(outcome, BulkPrice):
                rows.append([*(_text(record.cells[at]) for at in self.kept), *self._cells(outcome)])
                continue
            faults = outcome.refusals if isinstance(outcome, Refusals) else outcome
            self.report.reasons[_reason(faults[0])] += 1
            if rejected is not None:
                rejected.add(record, [fault.message for fault in faults])
        priced.write(rows)
        self.report.read += len(chunk)
        self.report.priced += len(rows)

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
            self.currency,
            " ".join(priced.review_reasons),
        ]


def _reason(fault: Any) -> str:
    """What faults are counted by: those of a cell as in an import, others by their code."""
    if isinstance(fault, Refusal):
        return " ".join([fault.code, *(str(each) for each in fault.path[-1:])])
    return str(fault.reason)


def _text(cell: object) -> str | None:
    return None if cell is None else str(cell)
