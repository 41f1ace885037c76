"""How the boxes of rules lie to each other: found exactly, for all pairs at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domain.pricing.containment import DIMENSIONS, Box

_Pairs = NDArray[np.bool_]


class Crossings:
    """Which of some boxes lie inside others, and which cross."""

    def __init__(self, boxes: Sequence[Box]) -> None:
        # For each pair: whether they share a cell, whether the first lies inside the second, and
        # how many cells they share, summed over the conditions.
        self._overlap: _Pairs = np.ones((len(boxes), len(boxes)), dtype=bool)
        self._inside = self._overlap.copy()
        self._shared = np.zeros((len(boxes), len(boxes)), dtype=np.float32)
        for dimension in range(DIMENSIONS):
            bit_sets = [box[dimension] for box in boxes]
            if len(set(bit_sets)) > 1:
                cells = _as_matrix(bit_sets)
                # Counts of shared cells, far below the 2**24 up to which these floats are whole
                # numbers; they let the product run in BLAS.
                shared = cells @ cells.T
                self._overlap &= shared > 0
                self._inside &= shared == cells.sum(axis=1)[:, None]
                self._shared += shared

    def unsettled(self) -> NDArray[np.intp]:
        """Positions of the pairs that are equal, or cross without a third to settle it.

        A third box settles two when it lies inside both and covers all that they share: when it is
        exactly what they share.

        Returns:
            Shape (n_pairs, 2), the smaller position first.
        """
        either = self._inside | self._inside.T
        equal = self._inside & self._inside.T
        crossing = self._overlap & ~either
        return np.argwhere(np.triu(equal | crossing & ~self._settled(crossing), k=1))

    def _settled(self, crossing: _Pairs) -> _Pairs:
        """Which of the crossing pairs a third box settles."""
        settled = np.zeros_like(crossing)
        candidates = np.flatnonzero(crossing.any(axis=1))
        inside = self._inside[:, candidates]
        for third in np.flatnonzero(inside.sum(axis=1) > 1):
            around = np.ix_(*2 * (candidates[inside[third]],))
            # What lies inside both and has as many cells as they share is what they share.
            settled[around] |= self._shared[around] == self._shared[third, third]
        return settled

    def insiders(self, position: int) -> list[int]:
        """Positions of the boxes that lie inside this one without being equal to it."""
        strictly = self._inside[:, position] & ~self._inside[position]
        return [int(at) for at in np.flatnonzero(strictly)]


def _as_matrix(bit_sets: Sequence[int]) -> NDArray[np.float32]:
    """One row a bit set, one column a cell."""
    length = (max(bits.bit_length() for bits in bit_sets) + 7) // 8
    packed = b"".join(bits.to_bytes(length, "little") for bits in bit_sets)
    octets = np.frombuffer(packed, dtype=np.uint8).reshape(len(bit_sets), length)
    return np.unpackbits(octets, axis=1, bitorder="little").astype(np.float32)
