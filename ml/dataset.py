"""Listings as columns: what a training run reads, its fingerprint, and the split into parts.

Rows stand in an order that follows from their content alone. The same listings therefore train the
same model, whatever order they were imported in, and one fingerprint names them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session, select

from domain import tables

Texts = NDArray[np.object_]
Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]

TEXTS = ("brand", "model", "version", "fuel", "gearbox")

TEST_PERMILLE = 200

ROWS_PER_FETCH = 10_000


class Part(StrEnum):
    """What a listing is used for; it follows from the vehicle alone, so it never changes."""

    TRAIN = "TRAIN"
    TEST = "TEST"


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Listings in columns of shape (n_listings,); a missing text is None, a missing number NaN."""

    brand: Texts
    model: Texts
    version: Texts
    fuel: Texts
    gearbox: Texts
    release_year: Numbers
    mileage_km: Numbers
    horsepower: Numbers
    engine_cc: Numbers
    doors: Numbers
    price: Numbers
    observed_on: NDArray[np.datetime64]

    @property
    def rows(self) -> int:
        """How many listings there are."""
        return len(self.price)

    @property
    def from_on(self) -> date | None:
        """The first day on which one of them was observed."""
        return _day(self.observed_on.min()) if self.rows else None

    @property
    def to_on(self) -> date | None:
        """The last day on which one of them was observed."""
        return _day(self.observed_on.max()) if self.rows else None

    def take(self, which: Mask | NDArray[np.intp]) -> TrainingData:
        """The listings that a mask or an index names, in its order."""
        return TrainingData(**{each.name: getattr(self, each.name)[which] for each in fields(self)})

    def fingerprint(self) -> str:
        """SHA-256 over all rows, the same in whatever order they stand."""
        digest = hashlib.sha256()
        for row in sorted(_row_digests(self)):
            digest.update(row)
        return digest.hexdigest()

    def part(self, which: Part) -> TrainingData:
        """The listings of one part."""
        return self.take(parts(self) == which)


def from_rows(rows: Iterable[tuple[Any, ...]]) -> TrainingData:
    """Columns from rows in the order of ``TrainingData``'s fields, put in canonical order."""
    names = [each.name for each in fields(TrainingData)]
    values: dict[str, list[Any]] = {name: [] for name in names}
    appends = [column.append for column in values.values()]
    for row in rows:
        for append, value in zip(appends, row, strict=True):
            append(value)
    columns = {name: _column(name, column) for name, column in values.items()}
    return in_canonical_order(TrainingData(**columns))


def read_listings(
    session: Session,
    market_id: int,
    *,
    observed_from: date | None = None,
    observed_to: date | None = None,
) -> TrainingData:
    """The listings of a market observed in a window, both ends included; None leaves it open."""
    listing = tables.Listing
    statement = select(*(getattr(listing, each.name) for each in fields(TrainingData))).where(
        listing.market_id == market_id
    )
    if observed_from is not None:
        statement = statement.where(listing.observed_on >= observed_from)
    if observed_to is not None:
        statement = statement.where(listing.observed_on <= observed_to)
    found = session.execute(statement, execution_options={"yield_per": ROWS_PER_FETCH})
    return from_rows(tuple(row) for row in found)


def in_canonical_order(data: TrainingData) -> TrainingData:
    """The same listings, ordered by what they say."""
    digests = _row_digests(data)
    return data.take(np.array(sorted(range(data.rows), key=digests.__getitem__), dtype=np.intp))


def without_repeats(data: TrainingData) -> TrainingData:
    """The listings without re-listed cars: of equal vehicles at an equal price the newest stays.

    A car that is advertised in three places, or again every week, is one fact about the market.
    """
    newest: dict[tuple[bytes, float], int] = {}
    order = np.argsort(data.observed_on, kind="stable")
    digests = _vehicle_digests(data)
    for index in order.tolist():
        newest[digests[index], float(data.price[index])] = index
    kept = np.zeros(data.rows, dtype=np.bool_)
    kept[list(newest.values())] = True
    return data.take(kept)


def parts(data: TrainingData) -> NDArray[np.object_]:
    """The part of each listing, shape (n_listings,).

    It hangs on the vehicle and neither on its price nor on where it was listed. Two versions are
    therefore compared on rows that neither has learnt from, and a car listed twice cannot be in
    training and in the test at once.
    """
    permille = np.array(
        [int.from_bytes(digest[:8], "big") % 1000 for digest in _vehicle_digests(data)],
        dtype=np.int64,
    )
    part = np.full(data.rows, Part.TRAIN, dtype=object)
    part[permille < TEST_PERMILLE] = Part.TEST
    return part


def folds(data: TrainingData, count: int) -> NDArray[np.intp]:
    """The fold of each listing, 0 to ``count`` - 1, shape (n_listings,).

    Like its part it hangs on the vehicle: a car listed twice is in one fold.
    """
    return np.array(
        [int.from_bytes(digest[8:], "big") % count for digest in _vehicle_digests(data)],
        dtype=np.intp,
    )


def _vehicle_digests(data: TrainingData) -> list[bytes]:
    """What identifies each vehicle, shape (n_listings,)."""
    columns = (getattr(data, each.name).tolist() for each in fields(data)[:10])
    return [_digest(row) for row in zip(*columns, strict=True)]


def _row_digests(data: TrainingData) -> list[bytes]:
    """What identifies each listing, shape (n_listings,), its price and day included."""
    rows = zip(_vehicle_digests(data), data.price.tolist(), data.observed_on.tolist(), strict=True)
    return [vehicle + _digest(rest) for vehicle, *rest in rows]


def _digest(values: Iterable[object]) -> bytes:
    text = "\x1f".join(map(str, values))
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def _column(name: str, values: list[Any]) -> NDArray[Any]:
    if name == "observed_on":
        return np.array(values, dtype="datetime64[D]")
    if name in TEXTS:
        column = np.empty(len(values), dtype=object)
        column[:] = [None if value is None else str(value) for value in values]
        return column
    return np.array([np.nan if value is None else float(value) for value in values])


def _day(instant: np.datetime64) -> date:
    day: date = instant.astype("datetime64[D]").item()
    return day
