"""What the listings of one specification tell of another: the more, the closer kin they are.

The curves of a brand's specifications are one Gaussian process around the brand's (Rasmussen and
Williams, 2006, equation 2.23), and each is its mean given all listings. Two points of them are
expected to lie off the brand's curve alike so far as the vehicles are alike in age, in what the
factory made, or in both; half as much where they are not of one model. A specification that was
never seen has a curve as well: that which its kin tell.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.features import FeatureRow
from ml.single_thread import single_threaded

Matrix = NDArray[np.float64]
Index = NDArray[np.intp]

SPREAD = 2.0
"""The variance of curves around their brand's, by age or by make alone, where that of the listings
of one specification and age is 1."""

BOTH = 0.5
"""The share of it that is peculiar to a specification at an age, beside that of either alone."""

OTHER_MODEL = 0.5
"""What a listing tells of another model of the brand, where it tells 1 of its own."""

WORD_APART = 0.3
"""How far two specifications are apart by another version, fuel, gearbox or number of doors, or by
a size that is known of one alone. They are alike as e to the power of minus the sum of these."""

SIZE_APART = 4.0
"""The same by an engine or a power e times as large."""

MOST_CELLS = 1000
"""Specifications at an age that are worked out together: time grows with the third power."""

MOST_REMEMBERED = 10_000
"""Curves of specifications that were never seen, each of some hundred bytes."""

BRAND, MODEL = 0, 1
"""Columns of ``Traits.codes``; the others are the words."""

UNKNOWN = -1


@dataclass(frozen=True, eq=False)
class Traits:
    """What specifications are told apart by.

    Attributes:
        words: by column of ``codes``, the code of each word.
        codes: brand, model, and words of each specification, shape (n_specifications, n_words).
        sizes: the logarithms of its power and its engine, shape (n_specifications, 2).
        usual: the sizes that count for those which are missing.
    """

    words: Sequence[Mapping[str, int]]
    codes: Index
    sizes: Matrix
    usual: tuple[float, float]

    @classmethod
    def learnt(cls, specifications: Sequence[FeatureRow]) -> Traits:
        """Those of some specifications."""
        texts = zip(*map(_texts, specifications), strict=True)
        words = [_numbered(sorted(set(each))) for each in texts]
        sizes = np.array([(row.horsepower, row.engine_cc) for row in specifications])
        # A missing size must lie somewhere, or two that are far apart would both be next to it.
        power, engine = (
            float(np.median(np.log(np.maximum(each, 1)))) if len(each) else 0.0
            for each in (column[~np.isnan(column)] for column in sizes.T)
        )
        none = cls(words, np.empty((0, len(words)), np.intp), np.empty((0, 2)), (power, engine))
        return replace(
            none,
            codes=np.array([none.codes_of(row) for row in specifications]),
            sizes=np.array([none.sizes_of(row) for row in specifications]),
        )

    def codes_of(self, row: FeatureRow) -> list[int]:
        """Its words by their codes, ``UNKNOWN`` where one was never seen."""
        return [
            known.get(word, UNKNOWN) for known, word in zip(self.words, _texts(row), strict=True)
        ]

    def sizes_of(self, row: FeatureRow) -> list[float]:
        """The logarithms of its power and its engine."""
        sizes = zip((row.horsepower, row.engine_cc), self.usual, strict=True)
        return [usual if size != size else math.log(max(size, 1)) for size, usual in sizes]


def _numbered(words: Sequence[str]) -> dict[str, int]:
    return {word: code for code, word in enumerate(words)}


def _texts(row: FeatureRow) -> tuple[str, ...]:
    missing = (str(size != size) for size in (row.horsepower, row.engine_cc))
    return row.brand, row.model, row.version, row.fuel, row.gearbox, str(row.doors), *missing


@dataclass(frozen=True, eq=False)
class Kin:
    """Which specifications tell of one another, and how much each has to tell.

    Attributes:
        family: of each specification, shape (n_specifications,). Families do not tell of others.
        weights: what each specification at each age adds to a curve, times the covariance of the
            two, shape (n_specifications, n_ages); 0 where none was listed.
    """

    traits: Traits
    family: Index
    weights: Matrix

    @classmethod
    def of(cls, traits: Traits, families: Sequence[Family], weights: Matrix) -> Kin:
        """The kin of these families."""
        number = np.empty(len(weights), dtype=np.intp)
        for each, family in enumerate(families):
            number[family.members] = each
        return cls(traits, number, weights)

    def knows(self, brand: str) -> bool:
        """Whether any of its specifications is of this brand."""
        return brand in self.traits.words[BRAND]

    def curve_of(self, row: FeatureRow) -> Matrix:
        """How far the curve of a specification lies above that of its brand, shape (n_ages,).

        Raises:
            KeyError: its brand is not known.
        """
        codes, sizes = self.traits.codes_of(row), self.traits.sizes_of(row)
        known = (*codes, *sizes)
        curve = self._remembered.get(known)
        if curve is None:
            if len(self._remembered) >= MOST_REMEMBERED:
                self._remembered.clear()
            curve = self._remembered[known] = self._told((np.array(codes), np.array(sizes)))
        return curve

    @cached_property
    def _remembered(self) -> dict[tuple[float, ...], Matrix]:
        """Curves by codes and sizes: what is asked for once is asked for again."""
        return {}

    def _told(self, one: tuple[Index, Matrix]) -> Matrix:
        """The curve of a vehicle's codes and sizes.

        Nothing here is left to what may add up otherwise on another processor.
        """
        told = []
        for codes, sizes, weights in self._by_brand[int(one[0][BRAND])]:
            related, apart = _compared(one, (codes, sizes))
            alike = related * [math.exp(-each) for each in apart.tolist()]
            told.append((alike, related, weights))
        # Where a brand has several families, it is of that of its closest kin.
        alike, related, weights = max(told, key=lambda each: float(each[0].max()))
        of_age = _added((related + BOTH * alike)[:, np.newaxis] * weights)
        of_make = math.fsum(_added(alike[:, np.newaxis] * weights).tolist())
        return np.asarray(_added(age_likeness(len(of_age)) * of_age[:, np.newaxis]) + of_make)

    @cached_property
    def _by_brand(self) -> Mapping[int, list[tuple[Index, Matrix, Matrix]]]:
        """Codes, sizes and weights of each family, by brand."""
        families: dict[int, list[tuple[Index, Matrix, Matrix]]] = {}
        codes, sizes = self.traits.codes, self.traits.sizes
        for each in range(int(self.family.max()) + 1):
            members = np.flatnonzero(self.family == each)
            families.setdefault(int(codes[members[0], BRAND]), []).append(
                (codes[members], sizes[members], self.weights[members])
            )
        return families

    def document(self) -> dict[str, Any]:
        """What ``rebuild`` makes it from, as JSON; the rest are its arrays."""
        return {
            "words": [list(known) for known in self.traits.words],
            "usual": list(self.traits.usual),
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays it is rebuilt from."""
        listed = self.weights != 0
        return {
            "codes": self.traits.codes.astype(np.int32),
            "sizes": self.traits.sizes,
            "family": self.family.astype(np.int32),
            "weights": self.weights[listed],
            "listed": listed,
        }

    @classmethod
    def rebuild(cls, document: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Kin:
        """The kin that ``document`` and ``arrays`` were made from.

        Raises:
            KeyError, ValueError, TypeError: they are of none.
        """
        power, engine = document["usual"]
        words = [_numbered(known) for known in document["words"]]
        codes, sizes, family, listed = (
            arrays[name] for name in ("codes", "sizes", "family", "listed")
        )
        n_specifications = len(listed)
        if (
            codes.shape != (n_specifications, len(words))
            or sizes.shape != (n_specifications, 2)
            or family.shape != (n_specifications,)
            or not np.all((codes >= 0) & (codes < [len(known) for known in words]))
            or not np.array_equal(np.unique(family), np.arange(family.max(initial=-1) + 1))
        ):
            raise ValueError("the arrays of kin do not fit together")
        weights = np.zeros(listed.shape)
        weights[listed] = arrays["weights"]
        traits = Traits(words, codes.astype(np.intp), sizes, (float(power), float(engine)))
        return cls(traits, family.astype(np.intp), weights)


def _added(terms: Matrix) -> Matrix:
    """The sum of the rows, one after the other: NumPy adds in pairs along the last axis alone."""
    return np.asarray(np.add.reduce(terms, axis=0))


@dataclass(frozen=True, eq=False)
class Family:
    """Specifications of one brand that tell of one another.

    Attributes:
        members: which specifications they are, shape (n_members,).
        of_age: the covariance of points of each two of them so far as both are of one age, shape
            (n_members, n_members), in units of ``SPREAD``.
        alike: their covariance at any ages.
    """

    members: Index
    of_age: Matrix
    alike: Matrix

    def weights(self, listings: Index, excess: Matrix) -> Matrix:
        """Those of ``Kin``, of its members.

        Args:
            listings: of each member at each age, shape (n_members, n_ages).
            excess: by how much the logarithms of their prices are above the brand's curve, all
                told, of the same shape.
        """
        from scipy.linalg import cho_factor, cho_solve

        same_age = age_likeness(listings.shape[1])
        member, age = np.nonzero(listings)
        count = listings[member, age]
        pair = np.ix_(member, member)
        covariance = self.of_age[pair]
        covariance *= same_age[np.ix_(age, age)]
        covariance += self.alike[pair]
        covariance[np.diag_indices_from(covariance)] += 1 / (SPREAD * count)
        factor = cho_factor(covariance, lower=True, overwrite_a=True, check_finite=False)
        weights = np.zeros(listings.shape)
        weights[member, age] = cho_solve(factor, excess[member, age] / count)
        return weights

    def curves(self, weights: Matrix) -> Matrix:
        """How far the curve of each member lies above the brand's; like ``Kin.curve_of``.

        The covariance of all their points with all that was listed is never written out: it is made
        of products of one matrix of members and one of ages.
        """
        of_age = self.of_age @ weights @ age_likeness(weights.shape[1])
        return np.asarray(of_age + (self.alike @ weights).sum(axis=1, keepdims=True))


def families_of(traits: Traits, cells: Index) -> list[Family]:
    """The families of specifications that are in the order of their names.

    Args:
        cells: at how many ages each was listed, shape (n_specifications,).
    """
    families = []
    for brand in range(len(traits.words[BRAND])):
        of_brand = np.flatnonzero(traits.codes[:, BRAND] == brand)
        # Of a brand too large, names that stand together stay together: those of a model.
        part = (np.cumsum(cells[of_brand]) - 1) // MOST_CELLS
        for each in np.unique(part):
            members = of_brand[part == each]
            codes, sizes = traits.codes[members], traits.sizes[members]
            related, apart = _compared((codes[:, np.newaxis], sizes[:, np.newaxis]), (codes, sizes))
            alike = related * np.exp(-apart)
            families.append(Family(members, related + BOTH * alike, alike))
    return families


def drawn_by_kin(
    families: Sequence[Family], listings: Index, excess: Matrix
) -> tuple[Matrix, Matrix]:
    """How far the curve of each specification lies above its brand's, and the weights of ``Kin``.

    Args:
        listings: of each specification at each age, shape (n_specifications, n_ages).
        excess: by how much the logarithms of their prices are above the brand's curve, all told, of
            the same shape.
    """
    curves, weights = np.zeros_like(excess), np.zeros_like(excess)
    with single_threaded:
        for family in families:
            members = family.members
            weights[members] = family.weights(listings[members], excess[members])
            curves[members] = family.curves(weights[members])
    return curves, weights


@cache
def age_likeness(n_ages: int) -> Matrix:
    """How alike two ages are, in (0, 1]: as the places of a random walk after so many steps.

    A year changes much in a young vehicle and little in an old one.
    """
    steps = np.arange(1, n_ages + 1)
    return np.asarray(np.sqrt(np.minimum.outer(steps, steps) / np.maximum.outer(steps, steps)))


def _compared(one: tuple[Index, Matrix], other: tuple[Index, Matrix]) -> tuple[Matrix, Matrix]:
    """What vehicles tell of each other by their models, and how far they are apart.

    Args:
        one, other: codes and sizes, both with the traits last.
    """
    related = np.where(one[0][..., MODEL] == other[0][..., MODEL], 1.0, OTHER_MODEL)
    words = np.count_nonzero((one[0] != other[0])[..., MODEL + 1 :], axis=-1)
    sizes = np.abs(one[1] - other[1])
    return related, WORD_APART * words + SIZE_APART * (sizes[..., 0] + sizes[..., 1])
