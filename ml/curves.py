"""Depreciation curves: the mean logarithm of the price of a kind of vehicle at each age.

Kinds nest (specification in model in brand in market). The curve of a brand or a model starts from
that of the kind around it, moves as a whole towards its own listings and then bends towards them
year by year, the less the fewer they are. That of a specification starts from its brand's and is
drawn by its own listings and by those of its kin: ``ml.kinship``. A model or brand that was never
seen has the curve of the kind around it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ml.kinship import Family, drawn_by_kin

Matrix = NDArray[np.float64]
Index = NDArray[np.intp]

YOUNGEST, OLDEST = -1, 30
AGES = OLDEST - YOUNGEST + 1
"""A curve has one value a year; younger and older vehicles take those of its ends."""

MOVE_WEIGHT = 2.0
"""As many listings the kind around counts for when a curve moves as a whole."""
BEND_WEIGHT = 5.0
"""The same for each year when it bends."""


def age_index(age_years: float) -> int:
    """The place of an age in a curve."""
    return int(min(max(age_years, YOUNGEST), OLDEST)) - YOUNGEST


def age_indexes(age_years: Matrix) -> Index:
    """The place of each age in a curve."""
    return np.clip(age_years, YOUNGEST, OLDEST).astype(np.intp) - YOUNGEST


def fit_curves(
    log_price: Matrix,
    ages: Index,
    at: Index,
    families: Sequence[Family],
    *,
    like: Index | None = None,
) -> tuple[Matrix, Matrix]:
    """The curves of the market and of every kind, kind by kind, and what kin add to others.

    Args:
        ages: the place of each listing's age in a curve, shape (n_listings,).
        at: the curve of each listing by kind, counted through all kinds, shape (n_listings, 3).
        families: of the specifications.
        like: ``at`` of all listings, where these are only some of them.

    Returns:
        The curves, shape (n_curves, AGES), and the weights of ``ml.kinship.Kin``.
    """
    like = at if like is None else like
    begins = like.min(axis=0)
    brand, model, specification = (at - begins).T
    brand_of_model, brand_of_specification = (_wider(like - begins, kind) for kind in (1, 2))

    market = _market_curve(log_price, ages)[np.newaxis]
    n_brands = int(brand_of_model.max()) + 1
    brands = _drawn(np.repeat(market, n_brands, axis=0), log_price, ages, brand)
    models = _drawn(brands[brand_of_model], log_price, ages, model)
    around = brands[brand_of_specification]
    listings, excess = _by_cell(around, log_price, ages, specification)
    above, weights = drawn_by_kin(families, listings, excess)
    return np.concatenate([market, brands, models, around + above]), weights


def cell_counts(ages: Index, which: Index, n_kinds: int) -> NDArray[np.intp]:
    """The listings of each kind at each age, shape (n_kinds, AGES)."""
    counts = np.bincount(which * AGES + ages, minlength=n_kinds * AGES)
    return np.reshape(counts, (n_kinds, AGES))


def _wider(which: Index, kind: int) -> Index:
    """The brand of each model or specification, whose column in ``which`` is ``kind``."""
    brand = np.empty(int(which[:, kind].max()) + 1, dtype=np.intp)
    brand[which[:, kind]] = which[:, 0]
    return brand


def _market_curve(log_price: Matrix, ages: Index) -> Matrix:
    """A parabola through the market's prices by age, made never to rise."""
    degree = min(2, len(np.unique(ages)) - 1)
    fitted = np.polynomial.Polynomial.fit(ages, log_price, degree) if degree else None
    curve = fitted(np.arange(AGES)) if fitted else np.full(AGES, log_price.mean())
    return np.asarray(np.minimum.accumulate(curve))


def _drawn(around: Matrix, log_price: Matrix, ages: Index, which: Index) -> Matrix:
    """Curves drawn from those around them towards their own listings, shape (n_kinds, AGES)."""
    listings, excess = _by_cell(around, log_price, ages, which)
    move = excess.sum(axis=1, keepdims=True) / (listings.sum(axis=1, keepdims=True) + MOVE_WEIGHT)
    bend = (excess - listings * move) / (listings + BEND_WEIGHT)
    return np.asarray(around + move + bend)


def _by_cell(
    around: Matrix, log_price: Matrix, ages: Index, which: Index
) -> tuple[NDArray[np.intp], Matrix]:
    """Of each kind at each age, the listings and by how much all of them exceed ``around``."""
    excess = np.bincount(
        which * AGES + ages, weights=log_price - around[which, ages], minlength=around.size
    )
    return cell_counts(ages, which, len(around)), np.reshape(excess, around.shape)
