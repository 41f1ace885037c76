"""The specifications of one brand and model: which entry agrees best with what was given."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.vehicles import CatalogueEntry, VehicleDescription
from domain.vocabulary import Fuel, Gearbox, fold

# What a difference costs of the score of 1.
_OTHER_SPELLING = 0.01
_NEAR_FUEL = 0.12
_OTHER_GEARBOX = 0.05
_NEAR_GEARBOX = 0.03
_OTHER_DOORS = 0.02
_ANY_DIFFERENCE = 0.002
_LARGEST_DIFFERENCE = 0.05
_YEAR_OUTSIDE = 0.005
_OTHER_TEXT = 0.04
# Not a difference, but an entry that is known to agree comes before one that says nothing.
_UNKNOWN = 1e-4

_TEXTS_READ = 200
"""Entries whose version is compared word by word: those that agree best in everything else."""
YEARS_OF_GRACE = 1
_MAX_NUMBER = 1_000_000

NEAR_FUELS = {
    Fuel.HYBRID: Fuel.PLUG_IN_HYBRID,
    Fuel.PLUG_IN_HYBRID: Fuel.HYBRID,
}
_GEARBOX_CODES: dict[Gearbox | None, int] = {
    None: 0,
    **{gearbox: code for code, gearbox in enumerate(Gearbox, start=1)},
}
TEXT_FIELDS = ("version", "trim", "engine")

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a description asks of an entry, beyond brand, model and fuel."""

    description: VehicleDescription
    gearbox: Gearbox | None
    texts: tuple[str | None, ...]
    words: frozenset[str]

    @classmethod
    def of(
        cls, description: VehicleDescription, gearbox: Gearbox | None, leftover: Sequence[str]
    ) -> Asked:
        """Args:
        leftover: words of the model's field that are no part of the model's name.
        """
        texts = tuple(fold(getattr(description, field) or "") or None for field in TEXT_FIELDS)
        words = {word for text in texts if text for word in text.split()}
        return cls(description, gearbox, texts, frozenset(words | {*leftover}))


@dataclass(frozen=True, slots=True)
class Fit:
    """An entry and what its differences from the description cost of the score."""

    entry: CatalogueEntry
    cost: float


class FuelGroup:
    """The entries of one model and fuel, most seen first, in columns."""

    def __init__(self, entries: Sequence[CatalogueEntry]) -> None:
        self.entries = sorted(entries, key=lambda entry: (-entry.seen, entry.id))
        self._spellings = [_spelling(each.brand, each.model) for each in self.entries]
        self._one_spelling = len(set(self._spellings)) == 1
        self._gearbox = np.array([_GEARBOX_CODES[each.gearbox] for each in self.entries])
        self._engine_cc = _column([each.engine_cc for each in self.entries])
        self._horsepower = _column([each.horsepower for each in self.entries])
        self._doors = _column([each.doors for each in self.entries])
        self._first_year = _column([each.first_year for each in self.entries])
        self._last_year = _column([each.last_year for each in self.entries])
        self._texts = [
            tuple(fold(getattr(each, field) or "") or None for field in TEXT_FIELDS)
            for each in self.entries
        ]
        self._rows_of_text: dict[tuple[str, str], list[int]] = defaultdict(list)
        for row, texts in enumerate(self._texts):
            for field, text in zip(TEXT_FIELDS, texts, strict=True):
                if text:
                    self._rows_of_text[field, text].append(row)
        self._words = [
            frozenset(word for text in texts if text for word in text.split())
            for texts in self._texts
        ]

    def fits(self, asked: Asked, *, limit: int) -> list[Fit]:
        """The entries that agree best, best first."""
        cost, rank = self._compare(asked)
        fits = []
        for row in self._rows_to_read(rank, asked, limit):
            text_cost, text_rank = self._compare_texts(row, asked)
            total = float(cost[row]) + text_cost
            fits.append((float(rank[row]) + text_cost + text_rank, row, total))
        return [Fit(self.entries[row], total) for _, row, total in sorted(fits)[:limit]]

    def _rows_to_read(self, rank: Numbers, asked: Asked, limit: int) -> list[int]:
        """The rows that may fit best: by rank, and those that hold a given text exactly."""
        order: list[int] = np.argsort(rank, kind="stable").tolist()
        if not asked.words:
            return order[:limit]
        rows = set(order[:_TEXTS_READ])
        for field, text in zip(TEXT_FIELDS, asked.texts, strict=True):
            if text and (same := self._rows_of_text.get((field, text))):
                rows |= {*sorted(same, key=lambda row: (rank[row], row))[:_TEXTS_READ]}
        return sorted(rows)

    def _compare(self, asked: Asked) -> tuple[Numbers, Numbers]:
        """Cost and rank of every entry by everything but its texts."""
        given = asked.description
        cost = np.zeros(len(self.entries))
        if not self._one_spelling:
            name = _spelling(given.brand, given.model)
            cost += [0.0 if each == name else _OTHER_SPELLING for each in self._spellings]
        rank = np.zeros(len(self.entries))
        if asked.gearbox is not None:
            cost += _GEARBOX_COSTS[_GEARBOX_CODES[asked.gearbox]][self._gearbox]
            rank += _UNKNOWN * (self._gearbox == 0)
        for value, column in (
            (given.engine_cc, self._engine_cc),
            (given.horsepower, self._horsepower),
            (given.doors, self._doors),
        ):
            if value is not None:
                unknown = np.isnan(column)
                differ = _doors_cost if column is self._doors else _relative_cost
                cost += np.where(unknown, 0.0, differ(_bounded(value), column))
                rank += _UNKNOWN * unknown
        gap = self._years_outside(_bounded(given.release_year))
        cost += np.where(
            gap > YEARS_OF_GRACE, np.minimum(_YEAR_OUTSIDE * gap, _LARGEST_DIFFERENCE), 0.0
        )
        rank += cost + _UNKNOWN * np.minimum(gap, 10)
        return cost, rank

    def _years_outside(self, year: float) -> Numbers:
        before = np.nan_to_num(self._first_year - year)
        after = np.nan_to_num(year - self._last_year)
        return np.maximum(0.0, np.maximum(before, after))

    def _compare_texts(self, row: int, asked: Asked) -> tuple[float, float]:
        """Cost and further rank of one entry by version, trim and engine."""
        if not asked.words:
            return 0.0, 0.0
        known = self._words[row]
        cost = 0.0
        for given, own in zip(asked.texts, self._texts[row], strict=True):
            if given and own and given != own:
                words = given.split()
                missing = sum(word not in known for word in words) / len(words)
                cost += _ANY_DIFFERENCE + _OTHER_TEXT * missing
        agreeing = len(asked.words & known) / len(asked.words)
        return cost, _UNKNOWN * (1 - agreeing)


class Specifications:
    """Every entry of one brand and model, by fuel."""

    def __init__(self, entries: Sequence[CatalogueEntry]) -> None:
        self._groups = {
            fuel: FuelGroup([each for each in entries if each.fuel is fuel])
            for fuel in Fuel
            if any(each.fuel is fuel for each in entries)
        }

    @property
    def fuels(self) -> list[Fuel]:
        """The fuels that the model is known with."""
        return list(self._groups)

    def fits(self, fuel: Fuel, asked: Asked, *, limit: int) -> list[Fit]:
        """The entries with a fuel that agree best, best first; none where no such car is known.

        A plug-in hybrid stands in for a hybrid and the other way round, at a price, because feeds
        confuse the two; no other fuel does for another.
        """
        if fuel in self._groups:
            return self._groups[fuel].fits(asked, limit=limit)
        near = NEAR_FUELS.get(fuel)
        if near in self._groups:
            fits = self._groups[near].fits(asked, limit=limit)
            return [Fit(fit.entry, fit.cost + _NEAR_FUEL) for fit in fits]
        return []

    def of_each_fuel(self, asked: Asked) -> list[Fit]:
        """The best entry of each fuel, whatever the fuel asked for."""
        return [group.fits(asked, limit=1)[0] for group in self._groups.values()]


def _spelling(brand: str, model: str) -> tuple[str, str]:
    return fold(brand), fold(model)


def _bounded(value: int) -> float:
    return float(min(max(value, -_MAX_NUMBER), _MAX_NUMBER))


def _column(values: Sequence[int | None]) -> Numbers:
    return np.array([np.nan if value is None else _bounded(value) for value in values])


def _relative_cost(value: float, column: Numbers) -> Numbers:
    share = np.abs(column - value) / np.maximum(np.abs(column), 1.0)
    cost = np.minimum(_LARGEST_DIFFERENCE, _ANY_DIFFERENCE + 0.2 * share)
    return np.where(share == 0, 0.0, cost)


def _doors_cost(value: float, column: Numbers) -> Numbers:
    return np.where(column == value, 0.0, _OTHER_DOORS)


def _gearbox_costs() -> Numbers:
    """Shape (5, 5): given gearbox, entry's gearbox; a semi-automatic is often sold as automatic."""
    codes = len(_GEARBOX_CODES)
    costs = np.full((codes, codes), _OTHER_GEARBOX)
    np.fill_diagonal(costs, 0.0)
    costs[:, 0] = 0.0
    automatic, semi = _GEARBOX_CODES[Gearbox.AUTOMATIC], _GEARBOX_CODES[Gearbox.SEMI_AUTOMATIC]
    costs[automatic, semi] = costs[semi, automatic] = _NEAR_GEARBOX
    return costs


_GEARBOX_COSTS = _gearbox_costs()
