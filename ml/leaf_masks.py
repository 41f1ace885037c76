"""The same trees for many rows at once: which leaf is left, found without walking.

After QuickScorer (Lucchese et al., 2015): an answer rules out the leaves behind the other one. What
a feature's value rules out in a tree is worked out beforehand, as one 64-bit mask for each stretch
of values between two thresholds. A row's leaf is the one bit that all its features leave.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ml.trees import Trees

Matrix = NDArray[np.float64]
Index = NDArray[np.intp]
Masks = NDArray[np.uint64]

MOST_LEAVES = 64
"""Of a tree: one bit each."""

TREES_AT_ONCE = 64
ROWS_AT_ONCE = 256
"""So many of both have their masks in the processor's cache."""

CODES = 256
"""Of a category; the last stands for a missing or unknown value."""

_ONE = np.uint64(1)
_NOTHING_RULED_OUT = ~np.uint64(0)


@dataclass(frozen=True, slots=True)
class _Feature:
    """A column of the matrix, and what its values leave.

    Attributes:
        thresholds: rising; None for a category.
        masks: by group of trees, by stretch of values, what is left of each tree; the last stretch
            is that of missing values.
    """

    column: int
    thresholds: Matrix | None
    masks: list[Masks]

    def stretches(self, matrix: Matrix) -> Index:
        """The stretch in which each row's value lies, shape (n_rows,)."""
        values = matrix[:, self.column]
        if self.thresholds is None:
            return np.nan_to_num(values, nan=CODES - 1).astype(np.intp)
        found = np.searchsorted(self.thresholds, values, side="left")
        found[np.isnan(values)] = len(self.thresholds) + 1
        return found


class LeafMasks:
    """Trees of at most ``MOST_LEAVES`` leaves each, ready for many rows."""

    def __init__(self, trees: Trees) -> None:
        nodes = _Nodes(trees)
        n_trees = len(trees.roots)
        groups = [slice(at, at + TREES_AT_ONCE) for at in range(0, n_trees, TREES_AT_ONCE)]
        self._baseline = trees.baseline
        self._leaves = [nodes.own[group] for group in groups]
        values = nodes.values()
        self._values = [values[group].ravel() for group in groups]
        self._features = [
            _Feature(
                column, thresholds, [np.ascontiguousarray(masks[:, group]) for group in groups]
            )
            for column, thresholds, masks in nodes.features()
        ]

    def predict(self, matrix: Matrix) -> Matrix:
        """The sum of all trees for each row; bit for bit what a walk gives."""
        stretches = [feature.stretches(matrix) for feature in self._features]
        total = np.full(len(matrix), self._baseline)
        for first in range(0, len(matrix), ROWS_AT_ONCE):
            rows = slice(first, first + ROWS_AT_ONCE)
            for group in range(len(self._values)):
                left = self._left(group, [each[rows] for each in stretches])
                total[rows] = self._added(group, left, total[rows])
        return total

    def _left(self, group: int, stretches: list[Index]) -> Masks:
        """The one leaf that is left of each tree, shape (n_rows, n_trees of the group)."""
        left = np.tile(self._leaves[group], (len(stretches[0]), 1))
        looked_up = np.empty_like(left)
        for feature, which in zip(self._features, stretches, strict=True):
            # Every stretch has its mask; "clip" only spares a copy.
            feature.masks[group].take(which, axis=0, out=looked_up, mode="clip")
            left &= looked_up
        return left

    def _added(self, group: int, left: Masks, total: Matrix) -> Matrix:
        # As many bits as are below a leaf's are its number.
        leaf = np.bitwise_count(left - _ONE).T.astype(np.intp)
        leaf += np.arange(0, leaf.shape[0] * MOST_LEAVES, MOST_LEAVES)[:, np.newaxis]
        values = self._values[group].take(leaf)
        values[0] += total
        # Accumulating adds strictly in order; a plain sum may add in pairs.
        added: Matrix = np.add.accumulate(values, axis=0)[-1]
        return added


def fits(trees: Trees) -> bool:
    """Whether the trees are small enough, and ask anything at all."""
    n_leaves = np.count_nonzero(trees.question == trees.n_questions - 1)
    # Of each tree the leaves are one more than its questions.
    if n_leaves == len(trees.roots):
        return False
    return bool(_leaves_of(trees, _tree_of(trees)).max() <= MOST_LEAVES)


class _Nodes:
    """What each node of the trees rules out."""

    def __init__(self, trees: Trees) -> None:
        self._trees = trees
        self._tree = _tree_of(trees)
        is_leaf = trees.question == trees.n_questions - 1
        leaves, inner = np.flatnonzero(is_leaf), np.flatnonzero(~is_leaf)
        self._leaves = leaves[np.argsort(self._tree[leaves], kind="stable")]
        per_tree = _leaves_of(trees, self._tree)
        before = np.repeat(np.cumsum(per_tree) - per_tree, per_tree)
        self._number = np.arange(len(leaves)) - before
        under = np.zeros(len(trees.left), dtype=np.uint64)
        under[self._leaves] = _ONE << self._number.astype(np.uint64)
        left = trees.left[inner]
        for _ in range(trees.max_depth):
            under[inner] = under[left] | under[left + 1]
        self.own = under[trees.roots]
        self._asked_in, self._question = self._tree[inner], trees.question[inner]
        self._left_by_no, self._left_by_yes = ~under[left + 1], ~under[left]

    def values(self) -> Matrix:
        """What each leaf adds, shape (n_trees, MOST_LEAVES)."""
        values = np.zeros((len(self.own), MOST_LEAVES))
        values[self._tree[self._leaves], self._number] = self._trees.value[self._leaves]
        return values

    def features(self) -> Iterator[tuple[int, Matrix | None, Masks]]:
        """Each column that is asked about, its thresholds, and the masks of all trees."""
        trees = self._trees
        n_numbers = len(trees.number_feature)
        is_number = self._question < n_numbers
        numbers, categories = np.flatnonzero(is_number), np.flatnonzero(~is_number)
        asked = trees.number_feature[self._question[numbers]]
        for column in np.unique(asked).tolist():
            yield column, *self._of_number(numbers[asked == column])
        asked = trees.category_feature[self._question[categories] - n_numbers]
        for column in np.unique(asked).tolist():
            yield column, None, self._of_category(categories[asked == column])

    def _of_number(self, nodes: Index) -> tuple[Matrix, Masks]:
        trees, question = self._trees, self._question[nodes]
        thresholds, place = np.unique(trees.number_threshold[question], return_inverse=True)
        tree, no, yes = self._asked_in[nodes], self._left_by_no[nodes], self._left_by_yes[nodes]
        # The stretch that ends with a threshold and those below it say no, those above it yes.
        below, above = (self._masks(len(thresholds) + 1) for _ in range(2))
        np.bitwise_and.at(below, (place, tree), no)
        np.bitwise_and.at(above, (place + 1, tree), yes)
        known = np.bitwise_and.accumulate(below[::-1], axis=0)[::-1]
        known &= np.bitwise_and.accumulate(above, axis=0)
        missing = self._masks(1)
        np.bitwise_and.at(missing[0], tree, np.where(trees.number_missing[question], yes, no))
        return thresholds, np.concatenate([known, missing])

    def _of_category(self, nodes: Index) -> Masks:
        trees = self._trees
        answers = trees.category_answer[self._question[nodes] - len(trees.number_feature)]
        masks = self._masks(CODES)
        left = np.where(answers == 1, self._left_by_yes[nodes, None], self._left_by_no[nodes, None])
        np.bitwise_and.at(masks.T, self._asked_in[nodes], left)
        return masks

    def _masks(self, stretches: int) -> Masks:
        return np.full((stretches, len(self.own)), _NOTHING_RULED_OUT)


def _tree_of(trees: Trees) -> Index:
    """The tree of each node; children come after their parents."""
    tree = np.zeros(len(trees.left), dtype=np.intp)
    tree[trees.roots] = np.arange(len(trees.roots))
    inner = np.flatnonzero(trees.question != trees.n_questions - 1)
    left = trees.left[inner]
    for _ in range(trees.max_depth):
        tree[left] = tree[left + 1] = tree[inner]
    return tree


def _leaves_of(trees: Trees, tree: Index) -> Index:
    """The number of leaves of each tree."""
    is_leaf = trees.question == trees.n_questions - 1
    return np.bincount(tree[is_leaf], minlength=len(trees.roots))
