"""A file of descriptions, priced by several processes or by a Dask cluster, some rows at a time.

This process reads the file and writes the prices, in order; the others match and estimate. The
rows are sent to them, and the names of what they are to be priced with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from api import executors
from api.settings import Settings
from domain.database import Database
from domain.files.pricing import Divided, Outcome, Part, RowPricing
from domain.files.readers import Record
from ml.pinned import PinnedPricing, rebuilt


@dataclass(frozen=True, slots=True)
class Way:
    """How rows are to be priced, as it is sent to whoever does it."""

    pricing: PinnedPricing
    columns: tuple[str, ...]
    on: date


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a file, and how to price them."""

    way: Way
    records: list[Record]


_compiled: dict[Way, RowPricing] = {}
"""The last way alone: a process prices the parts of one file after those of another."""


def price_rows(rows: Rows, settings: Settings | None = None) -> list[Outcome]:
    """What becomes of some rows, in whatever process this is.

    Args:
        settings: those of this machine where absent, as on a cluster.

    Raises:
        Conflict: the catalogue has changed since the file was begun.
        ArtifactRefused: the model is not what was published, or the signing key is another.
    """
    settings = settings or Settings()
    database = Database(settings.resolved_database_url, pool_size=1, patience=settings.job_patience)
    try:
        with database.reading() as session:
            pricing = _compiled.get(rows.way)
            if pricing is None:
                snapshot = rebuilt(session, rows.way.pricing, artifact_key=settings.artifact_key)
                pricing = RowPricing(snapshot, rows.way.columns, on=rows.way.on)
                _compiled.clear()
                _compiled[rows.way] = pricing
            return pricing.price(session, rows.records)
    finally:
        database.close()


def divided(settings: Settings, pricing: PinnedPricing, *, on: date) -> Divided | None:
    """Who prices most of a large file; None where that would make it no faster."""
    if not settings.is_server:
        # No machine but this one can read it.
        settings = settings.model_copy(update={"dask_scheduler": None})
    if not executors.has_several(settings):
        return None

    def priced(
        columns: Sequence[str], parts: Iterator[Part]
    ) -> Iterator[tuple[Part, list[Outcome]]]:
        way = Way(pricing, tuple(columns), on)
        tasks = (Rows(way, part) for part in parts)
        with executors.opened(settings) as executor:
            for rows, outcomes in executors.in_order(executor, price_rows, tasks, settings):
                yield rows.records, outcomes

    return priced
