"""How the boxes of rules lie to each other: found exactly, for all pairs at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domain.pricing.containment import DIMENSIONS, Box, intersection

_Pairs = NDArray[np.bool_]


class Crossings:
    """Which of some boxes lie inside others, and which cross."""

    def __init__(self, boxes: Sequence[Box]) -> None:
        self._boxes = boxes
        # For each pair: whether they share a cell, and whether the first lies inside the second.
        self._overlap: _Pairs = np.ones((len(boxes), len(boxes)), dtype=bool)
        self._inside = self._overlap.copy()
        for dimension in range(DIMENSIONS):
            bit_sets = [box[dimension] for box in boxes]
            if len(set(bit_sets)) > 1:
                cells = _as_matrix(bit_sets)
                # Counts of shared cells, far below the 2**24 up to which these floats are whole
                # numbers; they let the product run in BLAS.
                shared = cells @ cells.T
                self._overlap &= shared > 0
                self._inside &= shared == cells.sum(axis=1)[:, None]

    def unsettled(self) -> list[tuple[int, int]]:
        """Positions of the pairs that are equal, or cross without a third to settle it.

        A third box settles two when it lies inside both and covers all that they share: when it is
        exactly what they share.
        """
        either = self._inside | self._inside.T
        equal = self._inside & self._inside.T
        known = set(self._boxes)
        return [
            (one, other)
            for one, other in np.argwhere(np.triu(equal | self._overlap & ~either, k=1)).tolist()
            if equal[one, other] or intersection(self._boxes[one], self._boxes[other]) not in known
        ]

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
