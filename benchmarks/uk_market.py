"""The listings of the UK set as training data, read past the database."""

from __future__ import annotations

import csv
import gzip
import sys
from collections.abc import Iterator
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from ml.dataset import TrainingData, from_rows

FILE = Path(__file__).parents[2] / "shared" / "data" / "uk_used_cars.csv.gz"

OBSERVED_ON = date(2020, 12, 31)
KM_PER_MILE = 1.609344

FUELS = {
    "Petrol": "PETROL",
    "Diesel": "DIESEL",
    "Hybrid": "HYBRID",
    "Electric": "ELECTRIC",
    "Other": "OTHER",
}
GEARBOXES = {
    "Manual": "MANUAL",
    "Automatic": "AUTOMATIC",
    "Semi-Auto": "SEMI_AUTOMATIC",
    "Other": "OTHER",
}


def uk_listings(*, limit: int | None = None) -> TrainingData:
    """The listings that an import would keep; ends the program where the file is absent.

    Args:
        limit: so many of them, spread over the file; None for all.
    """
    if not FILE.exists():
        sys.exit(f"{FILE} is not there: this benchmark needs the UK listings")
    rows = list(_rows())
    step = max(1, len(rows) // limit) if limit else 1
    return from_rows(islice(rows, 0, None, step))


def _rows() -> Iterator[tuple[Any, ...]]:
    seen = set()
    with gzip.open(FILE, "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            identity = tuple(row.values())
            if identity in seen or int(row["year"]) > OBSERVED_ON.year + 1:
                continue
            seen.add(identity)
            yield _listing(row)


def _listing(row: dict[str, str]) -> tuple[Any, ...]:
    # An engine of 0 litres is how the file writes that it does not know.
    engine_cc = round(float(row["engine_litres"]) * 1000) or None
    mileage_km = round(int(row["mileage_miles"]) * KM_PER_MILE)
    return (
        row["brand"], row["model"].strip(), None, FUELS[row["fuel"]],
        GEARBOXES[row["transmission"]], int(row["year"]), mileage_km,
        None, engine_cc, None, float(row["price_gbp"]), OBSERVED_ON,
    )  # fmt: skip
