"""Feature rows as the matrix that tree estimators read: codes, numbers and depreciation curves.

Beside the curves of a vehicle's model and specification (``ml.curves``) stands how common the
specification is, at all and in its year: what dealers register by the dozen sells for less.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.curves import AGES, Index, Matrix, age_index, age_indexes, cell_counts, fit_curves
from ml.features import CATEGORIES, NUMBERS, FeatureRow, FeatureTable, specification, table_of
from ml.kinship import Kin, Traits, families_of

MAX_CATEGORIES = 254
"""scikit-learn's native categories take 255 values a column; one is kept for all that are rare."""

KINDS = ("brand", "model", "specification")
ENCODED = ("model", "specification")
CURVES = tuple(f"{kind}_curve" for kind in ENCODED)
COUNTS = ("listings", "listings_of_age")

FOLDS = 5

FEW_ROWS = 4
"""So few rows are quicker encoded one by one."""


def kinds_of(row: FeatureRow) -> tuple[str, str, str]:
    """What names the kinds of a vehicle, from the widest to the narrowest."""
    return row.brand, row.model, specification(row)


@dataclass(frozen=True, eq=False)
class Encoder:
    """What was learnt of categories and kinds.

    Attributes:
        columns: the features of the matrix in order: categories, numbers, curves, counts.
        codes: by category column, the code of each value it knows.
        rare: by category column, the code of every other value; NaN where none was seen.
        kinds: by kind, which curve each vehicle kind has.
        curves: shape (n_curves, AGES); the first is the market's.
        counts: the listings of each specification at each age, shape (n_specifications, AGES); they
            are numbered as their curves are, and theirs come last.
        kin: what the specifications tell of one that was never seen.
    """

    columns: tuple[str, ...]
    codes: Mapping[str, Mapping[str, float]]
    rare: Mapping[str, float]
    kinds: Mapping[str, Mapping[str, int]]
    curves: Matrix
    counts: NDArray[np.int32]
    kin: Kin

    def matrix(self, rows: Sequence[FeatureRow]) -> Matrix:
        """What the trees read, shape (n_rows, n_columns); NaN where missing or unknown."""
        if len(rows) > FEW_ROWS:
            return self._table_matrix(table_of(rows))
        matrix = np.empty((len(rows), len(self.columns)))
        for index, row in enumerate(rows):
            matrix[index] = self._encoded(row)
        return matrix

    def _table_matrix(self, table: FeatureTable) -> Matrix:
        """``matrix`` by column: what a specification has is looked up once, then told to all."""
        of_each = np.array([self._shared(row) for row in table.specifications])
        n_shared = len(self._categories) + len(self._numbers)
        curves = np.array(
            [
                self._curve_of(row, curve)
                for row, curve in zip(table.specifications, of_each[:, -1].tolist(), strict=True)
            ]
        )
        shared = of_each[table.specification]
        matrix = np.empty((len(table), len(self.columns)))
        matrix[:, :n_shared] = shared[:, :n_shared]
        for name, values in (("age_years", table.age_years), ("mileage_km", table.mileage_km)):
            if name in self.columns:
                matrix[:, self.columns.index(name)] = values
        age = age_indexes(table.age_years)
        matrix[:, n_shared] = self.curves[shared[:, -2].astype(np.intp), age]
        matrix[:, n_shared + 1] = curves[table.specification, age]
        place = shared[:, -1].astype(np.intp) - self._first_specification
        counted = self.counts[np.maximum(place, 0)]
        of_all = np.where(place < 0, 0, counted.sum(axis=1))
        of_age = np.where(place < 0, 0, counted[np.arange(len(age)), age])
        # The vehicle itself counts as well, as it did among the listings that were learnt from.
        matrix[:, -2], matrix[:, -1] = _logarithms(1 + of_all), _logarithms(1 + of_age)
        return matrix

    def _curve_of(self, row: FeatureRow, curve: float) -> Matrix:
        """The curve of a row's specification; one that was never seen has what its kin tell.

        Args:
            curve: the number of that of the narrowest kind that was seen.
        """
        if curve < self._first_specification and self.kin.knows(row.brand):
            around = self.curves[self.kinds["brand"][row.brand]]
            return np.asarray(around + self.kin.curve_of(row))
        return np.asarray(self.curves[int(curve)])

    @property
    def _first_specification(self) -> int:
        """The number of the first curve of a specification."""
        return len(self.curves) - len(self.counts)

    def _shared(self, row: FeatureRow) -> list[float]:
        """What a row has of its specification: categories, numbers, and its curves by number."""
        words, numbers = row.words, row.numbers
        values = [codes.get(words[at], rare) for at, codes, rare in self._categories]
        values += [numbers[at] for at in self._numbers]
        curve = 0
        for kind, name in zip(KINDS, kinds_of(row), strict=True):
            curve = self.kinds[kind].get(name, curve)
            if kind in ENCODED:
                values.append(curve)
        return values

    @cached_property
    def _categories(self) -> list[tuple[int, Mapping[str, float], float]]:
        """Of each category column: its place in a row's words, its codes, the code of the rare."""
        names = [name for name in self.columns if name in CATEGORIES]
        return [(CATEGORIES.index(name), self.codes[name], self.rare[name]) for name in names]

    @cached_property
    def _numbers(self) -> list[int]:
        """The place among a row's numbers of each number column."""
        return [NUMBERS.index(name) for name in self.columns if name in NUMBERS]

    def _encoded(self, row: FeatureRow) -> list[float]:
        *values, of_model, of_specification = self._shared(row)
        age = age_index(row.age_years)
        values += [
            self.curves.item(int(of_model), age),
            self._curve_of(row, of_specification).item(age),
        ]
        place = int(of_specification) - self._first_specification
        of_all, of_age = (
            (self._totals[place], self.counts.item(place, age)) if place >= 0 else (0, 0)
        )
        return [*values, math.log(1 + of_all), math.log(1 + of_age)]

    @cached_property
    def _totals(self) -> list[int]:
        """The listings of each specification at any age."""
        totals: list[int] = self.counts.sum(axis=1).tolist()
        return totals

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays it is rebuilt from."""
        return {"curves": self.curves, "counts": self.counts, **self.kin.arrays()}

    def document(self) -> dict[str, Any]:
        """The rest of what it is rebuilt from, as JSON."""
        return {
            "columns": list(self.columns),
            "codes": {name: list(codes) for name, codes in self.codes.items()},
            "rare": [name for name, code in self.rare.items() if code == code],
            "kinds": {
                kind: [list(known), list(known.values())] for kind, known in self.kinds.items()
            },
            "kin": self.kin.document(),
        }

    @classmethod
    def rebuild(cls, document: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Encoder:
        """The encoder that ``document`` and ``arrays`` were made from.

        Raises:
            KeyError, ValueError, TypeError: they are not those of an encoder.
        """
        curves = arrays["curves"].astype(np.float64)
        kinds = {
            kind: dict(zip(names, which, strict=True))
            for kind, (names, which) in document["kinds"].items()
        }
        if curves.ndim != 2 or curves.shape[1] != AGES:
            raise ValueError("the curves have another number of ages")
        if any(not 0 <= at < len(curves) for known in kinds.values() for at in known.values()):
            raise ValueError("a kind names a curve that is not there")
        codes = {name: _numbered(values) for name, values in document["codes"].items()}
        counts = _sound_counts(arrays["counts"], len(curves))
        kin = Kin.rebuild(document["kin"], arrays)
        if kin.weights.shape != counts.shape:
            raise ValueError("the kin are not those of the curves")
        return cls(
            columns=tuple(document["columns"]),
            codes=codes,
            rare=_rare_codes(codes, document["rare"]),
            kinds=kinds,
            curves=curves,
            counts=counts,
            kin=kin,
        )


def _logarithms(counts: Index) -> Matrix:
    """As ``math.log`` gives them: NumPy's may differ in the last bit."""
    distinct, which = np.unique(counts, return_inverse=True)
    return np.array([math.log(each) for each in distinct.tolist()])[which]


def fit_encoder(
    rows: Sequence[FeatureRow], log_price: Matrix, *, seed: int
) -> tuple[Encoder, Matrix]:
    """Learn an encoder, and encode its own rows as if it had not seen them.

    Returns:
        The encoder, and the matrix of ``rows`` in which each row's kinds are valued by the other
        folds: a kind of one listing would otherwise give its price away.
    """
    table = table_of(rows)
    codes, rare = _fit_categories(table)
    numbers = [name for name in NUMBERS if _varies(table, name)]
    columns = (*codes, *numbers, *CURVES, *COUNTS)
    kinds, at = _fit_kinds(table)
    ages = age_indexes(table.age_years)
    which = at[:, -1] - at[:, -1].min()
    counts = cell_counts(ages, which, len(kinds["specification"]))
    traits = Traits.learnt(_one_of_each(table, which))
    families = families_of(traits, np.count_nonzero(counts, axis=1))
    curves, weights = fit_curves(log_price, ages, at, families)
    kin = Kin.of(traits, families, weights)
    encoder = Encoder(columns, codes, rare, kinds, curves, counts.astype(np.int32), kin)
    matrix = encoder._table_matrix(table)
    # Each of these listings was counted among the others: the vehicle itself must not count twice.
    matrix[:, -2] = np.log(counts.sum(axis=1)[which])
    matrix[:, -1] = np.log(counts[which, ages])
    fold = np.random.default_rng(seed).integers(0, FOLDS, len(rows))
    for left_out in range(FOLDS):
        seen, unseen = fold != left_out, fold == left_out
        if not seen.any():
            continue
        held_out, _ = fit_curves(log_price[seen], ages[seen], at[seen], families, like=at)
        for column, kind in enumerate(ENCODED, start=columns.index(CURVES[0])):
            which = at[unseen, KINDS.index(kind)]
            matrix[unseen, column] = held_out[which, ages[unseen]]
    return encoder, matrix


def _one_of_each(table: FeatureTable, which: Index) -> list[FeatureRow]:
    """A row of each specification, in the order of their numbers."""
    _, first = np.unique(which, return_index=True)
    return [table.specifications[each] for each in table.specification[first]]


def _sound_counts(counts: NDArray[Any], n_curves: int) -> NDArray[np.int32]:
    if counts.ndim != 2 or counts.shape[1] != AGES or len(counts) > n_curves or counts.min() < 0:
        raise ValueError("the counts do not belong to the curves")
    return counts.astype(np.int32)


def _fit_categories(
    table: FeatureTable,
) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    codes: dict[str, dict[str, float]] = {}
    with_rare = []
    of_specification = np.bincount(table.specification).tolist()
    for at, name in enumerate(CATEGORIES):
        listings: Counter[str] = Counter()
        for row, count in zip(table.specifications, of_specification, strict=True):
            listings[row.words[at]] += count
        if len(listings) < 2:
            continue
        del listings[""]
        # By number and then by name, so that the order of the rows plays no part.
        ranked = sorted(listings, key=lambda value: (-listings[value], value))
        codes[name] = _numbered(ranked[:MAX_CATEGORIES])
        if len(ranked) > MAX_CATEGORIES:
            with_rare.append(name)
    return codes, _rare_codes(codes, with_rare)


def _numbered(values: Sequence[str]) -> dict[str, float]:
    return {value: float(code) for code, value in enumerate(values)}


def _rare_codes(
    codes: Mapping[str, Mapping[str, float]], with_rare: Sequence[str]
) -> dict[str, float]:
    return {
        name: float(len(known)) if name in with_rare else np.nan for name, known in codes.items()
    }


def _varies(table: FeatureTable, name: str) -> bool:
    """Whether a number is known of some vehicles alone, or differs among them."""
    values = table.number(name)
    known = values[~np.isnan(values)]
    return len(known) > 0 and (len(known) < len(values) or known.min() < known.max())


def _fit_kinds(table: FeatureTable) -> tuple[dict[str, dict[str, int]], Index]:
    """The kinds by name, numbered through from 1, and those of each row, shape (n_rows, 3)."""
    kinds: dict[str, dict[str, int]] = {}
    names = [kinds_of(row) for row in table.specifications]
    at = np.empty((len(names), len(KINDS)), dtype=np.intp)
    begins = 1
    for place, kind in enumerate(KINDS):
        known = sorted({name[place] for name in names})
        kinds[kind] = {name: begins + index for index, name in enumerate(known)}
        at[:, place] = [kinds[kind][name[place]] for name in names]
        begins += len(known)
    return kinds, at[table.specification]
