"""Pairs of rules that no rule settles: found exactly, for all pairs at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domain.pricing.containment import DIMENSIONS, Box, intersection

_Pairs = NDArray[np.bool_]


def unsettled_pairs(boxes: Sequence[Box]) -> list[tuple[int, int]]:
    """Positions of the pairs that accept the same vehicles, or cross without a third to settle it.

    A third rule settles two when it lies inside both and covers all that they share: when it is
    exactly what they share.
    """
    if len(boxes) < 2:
        return []
    overlapping, inside = _relations(boxes)
    equal = inside & inside.T
    crossing = overlapping & ~inside & ~inside.T
    known = set(boxes)
    return [
        (one, other)
        for one, other in np.argwhere(np.triu(equal | crossing, k=1)).tolist()
        if equal[one, other] or intersection(boxes[one], boxes[other]) not in known
    ]


def inside_pairs(boxes: Sequence[Box]) -> _Pairs:
    """``[i, j]``: whether box ``i`` lies inside box ``j`` and is not equal to it."""
    _, inside = _relations(boxes)
    return inside & ~inside.T


def _relations(boxes: Sequence[Box]) -> tuple[_Pairs, _Pairs]:
    """For all pairs: whether they share a cell, and whether the first lies inside the second."""
    overlapping = np.ones((len(boxes), len(boxes)), dtype=bool)
    inside = overlapping.copy()
    for dimension in range(DIMENSIONS):
        cells = _as_matrix([box[dimension] for box in boxes])
        # Counts of shared cells, far below the 2**24 up to which these floats are whole numbers;
        # they let the product run in BLAS.
        shared = cells @ cells.T
        overlapping &= shared > 0
        inside &= shared == cells.sum(axis=1)[:, None]
    return overlapping, inside


def _as_matrix(bit_sets: Sequence[int]) -> NDArray[np.float32]:
    """One row a bit set, one column a cell."""
    length = (max(bits.bit_length() for bits in bit_sets) + 7) // 8
    packed = b"".join(bits.to_bytes(length, "little") for bits in bit_sets)
    octets = np.frombuffer(packed, dtype=np.uint8).reshape(len(bit_sets), length)
    return np.unpackbits(octets, axis=1, bitorder="little").astype(np.float32)
