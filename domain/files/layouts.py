"""Layouts: the columns of each kind of file, and how a row of a file becomes a row of ours."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any, Generic, TypeVar

from domain.errors import Invalid
from domain.files import cells
from domain.files.cells import Parse, Unreadable
from domain.files.profiles import From, Profile
from domain.files.readers import Record
from domain.listings import ListingRow
from domain.plausibility import Fault, Kind, missing
from domain.quotes import QuotedVehicle
from domain.sales import SalesRow
from domain.stock import VehicleRow
from domain.vehicles import VehicleDescription

Row = TypeVar("Row")

_NOT_STATED = object()


@dataclass(frozen=True, slots=True)
class Column:
    """One of our columns."""

    name: str
    parse: Parse
    mandatory: bool = False


@dataclass(frozen=True, slots=True)
class Layout(Generic[Row]):
    """The columns of one kind of file, in the order in which ``make`` takes their values."""

    name: str
    columns: tuple[Column, ...]
    make: Callable[..., Row]


LISTINGS = Layout(
    "listings",
    (
        Column("source", cells.text, mandatory=True),
        Column("reference", cells.text, mandatory=True),
        Column("brand", cells.text, mandatory=True),
        Column("model", cells.text, mandatory=True),
        Column("version", cells.text),
        Column("fuel", cells.text, mandatory=True),
        Column("gearbox", cells.text),
        Column("release_year", cells.whole, mandatory=True),
        Column("mileage_km", cells.whole, mandatory=True),
        Column("horsepower", cells.whole),
        Column("engine_cc", cells.whole),
        Column("doors", cells.whole),
        Column("price", cells.amount, mandatory=True),
        Column("observed_on", cells.day, mandatory=True),
    ),
    ListingRow,
)

STOCK = Layout(
    "stock",
    (
        Column("reference", cells.text, mandatory=True),
        Column("brand", cells.text, mandatory=True),
        Column("model", cells.text, mandatory=True),
        Column("version", cells.text),
        Column("fuel", cells.text, mandatory=True),
        Column("gearbox", cells.text),
        Column("release_year", cells.whole, mandatory=True),
        Column("mileage_km", cells.whole, mandatory=True),
        Column("doors", cells.whole),
        Column("colour", cells.text),
        Column("horsepower", cells.whole),
        Column("engine_cc", cells.whole),
        Column("cost", cells.amount),
        Column("price", cells.amount, mandatory=True),
        Column("acquired_on", cells.day, mandatory=True),
    ),
    VehicleRow,
)

SALES = Layout(
    "sales",
    (
        Column("order", cells.text, mandatory=True),
        Column("email", cells.text, mandatory=True),
        Column("vehicle_reference", cells.text, mandatory=True),
        Column("total_price", cells.amount, mandatory=True),
        Column("status", cells.text, mandatory=True),
        Column("ordered_on", cells.day, mandatory=True),
        Column("payment", cells.text),
        Column("payment_type", cells.text),
        Column("amount", cells.amount),
        Column("paid_on", cells.day),
    ),
    SalesRow,
)


def _described(
    reference: str | None, cost: Decimal | None, days_in_stock: int | None, *description: Any
) -> QuotedVehicle:
    return QuotedVehicle(VehicleDescription(*description), reference, cost, days_in_stock)


DESCRIPTIONS = Layout(
    "descriptions",
    (
        Column("reference", cells.text),
        Column("cost", cells.amount),
        Column("days_in_stock", cells.whole),
        Column("brand", cells.text, mandatory=True),
        Column("model", cells.text, mandatory=True),
        Column("release_year", cells.whole, mandatory=True),
        Column("fuel", cells.text, mandatory=True),
        Column("mileage_km", cells.whole, mandatory=True),
        Column("gearbox", cells.text),
        Column("doors", cells.whole),
        Column("version", cells.text),
        Column("trim", cells.text),
        Column("horsepower", cells.whole),
        Column("engine", cells.text),
        Column("engine_cc", cells.whole),
    ),
    _described,
)


class Binding(Generic[Row]):
    """A layout bound to the header of one file.

    Attributes:
        ignored: columns of the file that nothing is read from.
        not_stated: by column of ours, how many cells the profile takes for "not stated".

    Raises:
        Invalid: the file lacks columns that have to be there.
    """

    def __init__(self, layout: Layout[Row], profile: Profile | None, header: Sequence[str]) -> None:
        self._layout = layout
        self.not_stated: Counter[str] = Counter()
        if profile is None:
            profile = _plain(layout, header)
        _require_columns(layout, profile, header)
        self._readers = [_reader(column, profile, header) for column in layout.columns]
        named = {each.column for each in profile.columns.values()} | set(profile.reference_of)
        self.ignored = tuple(name for name in header if name not in named)

    def row(self, record: Record) -> Row | list[Fault]:
        """The row that a record holds, or all that is wrong with its cells."""
        if record.fault:
            return [Fault(Kind.MALFORMED, "row", f"The row has {record.fault}.")]
        trimmed = [each.strip() if type(each) is str else each for each in record.cells]
        values: list[Any] = []
        faults: list[Fault] = []
        for column, read in zip(self._layout.columns, self._readers, strict=True):
            try:
                value = read(trimmed)
            except Unreadable as wrong:
                faults.append(Fault(Kind.UNREADABLE, column.name, f"{column.name}: {wrong}."))
                continue
            if value is _NOT_STATED:
                self.not_stated[column.name] += 1
                value = None
            if value is None and column.mandatory:
                faults.append(missing(column.name))
            values.append(value)
        return faults or self._layout.make(*values)


def _plain(layout: Layout[Any], header: Sequence[str]) -> Profile:
    """Every column by its own name."""
    names = [column.name for column in layout.columns if column.name in header]
    return Profile("", f"Our own layout of {layout.name}.", {name: From(name) for name in names})


def _require_columns(layout: Layout[Any], profile: Profile, header: Sequence[str]) -> None:
    wanted = {each.column for each in profile.columns.values()} | set(profile.reference_of)
    given = {*profile.columns, *profile.constants, *(["reference"] if profile.reference_of else [])}
    wanted |= {each.name for each in layout.columns if each.mandatory and each.name not in given}
    if lacking := sorted(wanted.difference(header)):
        raise Invalid(
            f"The file lacks the column{'s'[: len(lacking) > 1]} {', '.join(lacking)}; "
            f"it has {', '.join(header)}. Name its columns so, or use a profile.",
            path=("file",),
        )


def _reader(column: Column, profile: Profile, header: Sequence[str]) -> Callable[[list[Any]], Any]:
    """What finds a column's value among the trimmed cells of a row; None where it is empty."""
    if column.name in profile.constants:
        constant = column.parse(profile.constants[column.name])
        return lambda _cells: constant
    if column.name == "reference" and profile.reference_of:
        identity = [header.index(name) for name in profile.reference_of]
        return lambda row: _digest([row[position] for position in identity])
    if column.name not in profile.columns:
        return lambda _cells: None
    source = profile.columns[column.name]
    position, parse = header.index(source.column), _parse(column, source)

    def read(row: list[Any]) -> Any:
        cell = row[position]
        return None if cells.is_empty(cell) else parse(cell)

    return read


def _parse(column: Column, source: From) -> Parse:
    if source.times is None and source.not_stated is None:
        return column.parse

    @lru_cache(maxsize=16_384)
    def convert(cell: Any) -> Any:
        number = cells.amount(cell)
        if number == source.not_stated:
            return _NOT_STATED
        if source.times is None:
            return column.parse(cell)
        return int((number * source.times).to_integral_value(ROUND_HALF_UP))

    return convert


def _digest(row: Sequence[Any]) -> str:
    """A reference made of a row's content: 128 bits of its SHA-256."""
    content = "\x1f".join("" if cell is None else str(cell) for cell in row)
    return hashlib.sha256(content.encode()).hexdigest()[:32]
