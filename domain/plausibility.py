"""What cannot be true of a vehicle: the checks that listings and stock share.

They are the same for a row of a file and for an item of a mutation. A row is taken as it is or
refused with every reason found; nothing is mended in silence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, Protocol

from domain.errors import Invalid
from domain.markets import MarketSettings
from domain.money import CENT
from domain.vehicles import Specification
from domain.vocabulary import brand_name, fold, understand_fuel, understand_gearbox
from domain.vocabulary.spelling import MAX_EXAMINED

# No longer than the texts that can be told apart: spelling looks at as many characters.
TEXT_MAX_LENGTH = MAX_EXAMINED

# C0 and C1 control characters, line and paragraph separators, halves of a surrogate pair.
_CONTROL_CHARACTER = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Kind(StrEnum):
    """In what way a value is wrong; with its field it is the reason in an import's report."""

    MISSING = "missing"
    UNREADABLE = "unreadable"
    UNKNOWN = "unknown"
    IMPOSSIBLE = "impossible"
    MALFORMED = "malformed"
    TAKEN = "taken"


class Fault(NamedTuple):
    """Something wrong with one field."""

    kind: Kind
    field: str
    message: str

    @property
    def reason(self) -> str:
        """What faults are counted by, e.g. ``impossible release_year``."""
        return f"{self.kind} {self.field}"


class Implausible(Invalid):
    """A value of one item among many that cannot be right.

    Attributes:
        item: the item's position in the call.
        fault: what is wrong with it.
    """

    def __init__(self, fault: Fault, *, items: str, item: int) -> None:
        super().__init__(fault.message, path=(items, item, camel_case(fault.field)))
        self.fault = fault
        self.item = item


class DescribedVehicle(Protocol):
    """The fields that listings and stock vehicles have in common, raw."""

    @property
    def brand(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def version(self) -> str | None: ...
    @property
    def fuel(self) -> str: ...
    @property
    def gearbox(self) -> str | None: ...
    @property
    def release_year(self) -> int: ...
    @property
    def mileage_km(self) -> int: ...
    @property
    def doors(self) -> int | None: ...
    @property
    def horsepower(self) -> int | None: ...
    @property
    def engine_cc(self) -> int | None: ...
    @property
    def price(self) -> Decimal: ...


class Checker:
    """The checks of one market on one day.

    Few specifications make up many rows, so it remembers what it found of each.
    """

    def __init__(self, settings: MarketSettings, *, today: date) -> None:
        self._settings = settings
        self._tomorrow = today + timedelta(days=1)
        self._specifications: dict[tuple[object, ...], Specification | tuple[Fault, ...]] = {}

    def check(
        self, row: DescribedVehicle, *, seen_on: date
    ) -> tuple[Specification | None, list[Fault]]:
        """What the catalogue files the row under (None: it cannot tell), and what is wrong.

        Args:
            seen_on: when the vehicle was there; next year's models are sold before it begins.
        """
        found = self._specification(row)
        faults = [*self._number_faults(row, seen_on=seen_on)]
        if isinstance(found, Specification):
            return found, faults
        return None, [*found, *faults]

    def _specification(self, row: DescribedVehicle) -> Specification | tuple[Fault, ...]:
        raw = (
            row.brand,
            row.model,
            row.version,
            row.fuel,
            row.gearbox,
            row.doors,
            row.horsepower,
            row.engine_cc,
        )
        found = self._specifications.get(raw)
        if found is None:
            faults = tuple(self._specification_faults(row))
            found = self._specifications[raw] = faults or _specification_of(row)
        return found

    def _specification_faults(self, row: DescribedVehicle) -> Iterator[Fault]:
        limits = self._settings
        yield from name_faults("brand", row.brand)
        yield from name_faults("model", row.model)
        yield from text_faults("version", row.version or "")
        yield from word_faults("fuel", row.fuel, understand_fuel)
        if row.gearbox and row.gearbox.strip():
            yield from word_faults("gearbox", row.gearbox, understand_gearbox)
        yield from _within("doors", row.doors, limits.min_doors, limits.max_doors)
        yield from _within(
            "horsepower", row.horsepower, limits.min_horsepower, limits.max_horsepower
        )
        yield from _within("engine_cc", row.engine_cc, limits.min_engine_cc, limits.max_engine_cc)

    def _number_faults(self, row: DescribedVehicle, *, seen_on: date) -> Iterator[Fault]:
        limits = self._settings
        first, last = limits.earliest_release_year, seen_on.year + 1
        if not first <= row.release_year <= last:
            yield _impossible("release_year", row.release_year, f"it lies in {first} to {last}")
        if not 0 <= row.mileage_km <= limits.max_mileage_km:
            yield _impossible(
                "mileage_km", row.mileage_km, f"it lies in 0 to {limits.max_mileage_km}"
            )
        yield from self.amount("price", row.price, at_least=limits.min_price)

    def amount(self, field: str, amount: Decimal, *, at_least: Decimal) -> Iterator[Fault]:
        """What is wrong with an amount in the market's currency."""
        most = self._settings.max_price
        # Not finite, it could not even be compared.
        if not (amount.is_finite() and at_least <= amount <= most):
            yield _impossible(field, amount, f"it lies in {at_least} to {most}")
        elif amount != amount.quantize(CENT):
            yield _impossible(field, amount, "no amount has parts smaller than 0.01")

    def day(self, field: str, day: date) -> Iterator[Fault]:
        """What is wrong with a day that has to be past; a time zone ahead of UTC is let through."""
        if day > self._tomorrow:
            yield _impossible(field, day, "it lies in the future")


def name_faults(field: str, text: str) -> Iterator[Fault]:
    """What is wrong with a text by which vehicles are compared."""
    yield from given_faults(field, text)
    if text.strip() and not fold(text):
        yield _impossible(field, repr(text), "it has neither letters nor digits")


def given_faults(field: str, text: str) -> Iterator[Fault]:
    """What is wrong with a text that has to be there."""
    if not text.strip():
        yield missing(field)
    else:
        yield from text_faults(field, text)


def text_faults(field: str, text: str) -> Iterator[Fault]:
    """What is wrong with a text that may be empty."""
    if len(text) > TEXT_MAX_LENGTH:
        yield Fault(Kind.IMPOSSIBLE, field, f"{field} is longer than {TEXT_MAX_LENGTH} characters.")
    if _CONTROL_CHARACTER.search(text.strip()):
        yield _impossible(field, repr(text), "it holds a control character")


def word_faults(
    field: str, word: str, understand: Callable[[str], object | None]
) -> Iterator[Fault]:
    """What is wrong with a word of the vocabulary."""
    if not word.strip():
        yield missing(field)
    elif understand(word) is None:
        shown = word[:TEXT_MAX_LENGTH]
        yield Fault(Kind.UNKNOWN, field, f"{shown!r} is no {field} that is known.")


def missing(field: str) -> Fault:
    """A field that has to be there and is not."""
    return Fault(Kind.MISSING, field, f"{field} is missing.")


def camel_case(field: str) -> str:
    """A field's name in GraphQL, e.g. ``releaseYear``."""
    first, *others = field.split("_")
    return first + "".join(word.capitalize() for word in others)


def _specification_of(row: DescribedVehicle) -> Specification:
    version = (row.version or "").strip()
    fuel = understand_fuel(row.fuel)
    assert fuel is not None, "the row was checked"  # noqa: S101
    return Specification(
        brand_name(row.brand),
        row.model.strip(),
        version or None,
        fuel,
        understand_gearbox(row.gearbox) if row.gearbox else None,
        row.doors,
        row.horsepower,
        row.engine_cc,
    )


def _within(field: str, number: int | None, least: int, most: int) -> Iterator[Fault]:
    if number is not None and not least <= number <= most:
        yield _impossible(field, number, f"it lies in {least} to {most}")


def _impossible(field: str, value: object, why: str) -> Fault:
    return Fault(Kind.IMPOSSIBLE, field, f"{field} {value} is impossible: {why}.")
