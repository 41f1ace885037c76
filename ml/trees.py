"""An ensemble of decision trees as flat arrays, walked without scikit-learn, bit for bit the same.

All trees are walked together, one level a step. A node asks one of a few thousand distinct
questions, so a row's answers are computed once, for all questions, before the walk. Leaves lead to
themselves. The values of the leaves are added in the order in which scikit-learn adds them, as
floating-point sums depend on it. Many rows are not walked: ``ml.leaf_masks``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ml.leaf_masks import LeafMasks, fits

Matrix = NDArray[np.float64]
Index = NDArray[np.intp]

BITSET = 256
"""Codes of a category; the last stands for a missing or unknown value."""

WALKS_PER_CHUNK = 30_000
"""Rows times trees walked at once: what stays in the processor's cache."""

MANY_ROWS = 32
"""From so many on, masks are quicker than a walk. More than ``ml.artifact.PROBES``: preparing masks
takes longer than all else in loading, so the first such batch does it, and one vehicle never waits
for it."""


@dataclass(frozen=True, eq=False)
class Trees:
    """The sum of many regression trees.

    Attributes:
        baseline: what the sum starts from.
        roots: the root of each tree, shape (n_trees,).
        question: by node, the question it asks; leaves ask the last, whose answer is always no.
        left: by node, where a no leads; a yes leads to the node after that.
        value: by node, what a leaf adds.
        depth: by tree, how many steps lead to its deepest leaf.
        number_feature, number_threshold, number_missing: the questions "is the feature above the
            threshold?", and the answer where it is missing, shape (n_number_questions,).
        category_feature: the questions about categories, shape (n_category_questions,).
        category_answer: their answer for each code, shape (n_category_questions, 256).
    """

    baseline: float
    roots: Index
    question: Index
    left: Index
    value: Matrix
    depth: Index
    number_feature: Index
    number_threshold: Matrix
    number_missing: NDArray[np.bool_]
    category_feature: Index
    category_answer: NDArray[np.uint8]

    @cached_property
    def _deepest_first(self) -> Index:
        """The trees in the order of the walk: those still under way are then always one slice."""
        return np.argsort(-self.depth, kind="stable")

    @cached_property
    def _place(self) -> Index:
        """Where each tree stands in that order."""
        return np.argsort(self._deepest_first)

    @cached_property
    def _start(self) -> Index:
        """The roots in that order."""
        return self.roots[self._deepest_first]

    @cached_property
    def _under_way(self) -> list[int]:
        """How many trees have not come to an end, by step."""
        return [int(np.count_nonzero(self.depth > step)) for step in range(self.max_depth)]

    @property
    def max_depth(self) -> int:
        """Steps to the deepest leaf of all."""
        return int(self.depth.max(initial=0))

    def predict(self, matrix: Matrix) -> Matrix:
        """The sum of all trees for each row, shape (n_rows,).

        Args:
            matrix: shape (n_rows, n_features), NaN where missing or, in categories, unknown.
        """
        if len(matrix) >= MANY_ROWS and self._masks is not None:
            return self._masks.predict(matrix)
        rows = max(1, WALKS_PER_CHUNK // len(self.roots))
        chunks = [self._sums(matrix[start : start + rows]) for start in range(0, len(matrix), rows)]
        return np.concatenate(chunks) if chunks else np.empty(0)

    @cached_property
    def _masks(self) -> LeafMasks | None:
        return LeafMasks(self) if fits(self) else None

    def _sums(self, matrix: Matrix) -> Matrix:
        answers = self._answers(matrix)
        n_rows, n_questions = answers.shape
        # One flat table of answers; each row's begin where those of the row before end.
        begins = np.arange(n_rows, dtype=np.intp) * n_questions
        flat = answers.ravel()
        node = np.repeat(self._start[:, np.newaxis], n_rows, axis=1)
        for under_way in self._under_way:
            walking = node[:under_way]
            asked = self.question.take(walking)
            asked += begins
            node[:under_way] = self.left.take(walking) + flat.take(asked)
        values = self.value.take(node[self._place])
        values[0] += self.baseline
        # Accumulating adds strictly in order; a plain sum may add in pairs.
        total: Matrix = np.add.accumulate(values, axis=0)[-1]
        return total

    def _answers(self, matrix: Matrix) -> NDArray[np.uint8]:
        """Each row's answer to every question, 1 for yes, shape (n_rows, n_questions)."""
        n_numbers, n_categories = len(self.number_feature), len(self.category_feature)
        answers = np.zeros((len(matrix), n_numbers + n_categories + 1), dtype=np.uint8)
        asked = matrix.take(self.number_feature, axis=1)
        yes = answers[:, :n_numbers]
        np.greater(asked, self.number_threshold, out=yes, casting="unsafe")
        missing = np.isnan(asked)
        if missing.any():
            np.copyto(yes, self.number_missing, where=missing, casting="unsafe")
        if n_categories:
            codes = np.nan_to_num(matrix, nan=BITSET - 1).take(self.category_feature, axis=1)
            places = codes.astype(np.intp)
            places += np.arange(n_categories, dtype=np.intp) * BITSET
            answers[:, n_numbers:-1] = self.category_answer.ravel().take(places)
        return answers

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The arrays it is rebuilt from, as narrow as they can be."""
        return {
            "baseline": np.array([self.baseline]),
            "roots": self.roots.astype(np.int32),
            "question": self.question.astype(np.int32),
            "left": self.left.astype(np.int32),
            "value": self.value,
            "depth": self.depth.astype(np.int16),
            "number_feature": self.number_feature.astype(np.int16),
            "number_threshold": self.number_threshold,
            "number_missing": self.number_missing,
            "category_feature": self.category_feature.astype(np.int16),
            "category_answer": np.packbits(self.category_answer, axis=1),
        }

    @classmethod
    def rebuild(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Trees:
        """The trees that ``arrays`` were made from.

        Raises:
            KeyError, ValueError: these are no arrays of trees.
        """

        def index(name: str) -> Index:
            return arrays[name].astype(np.intp)

        answers = np.unpackbits(np.ascontiguousarray(arrays["category_answer"], np.uint8), axis=1)
        trees = cls(
            baseline=float(arrays["baseline"][0]),
            roots=index("roots"),
            question=index("question"),
            left=index("left"),
            value=arrays["value"].astype(np.float64),
            depth=index("depth"),
            number_feature=index("number_feature"),
            number_threshold=arrays["number_threshold"].astype(np.float64),
            number_missing=arrays["number_missing"].astype(np.bool_),
            category_feature=index("category_feature"),
            category_answer=answers,
        )
        trees.check()
        return trees

    def check(self) -> None:
        """Raise:
        ValueError: an index leads out of its array, or the shapes do not fit together.
        """
        n_nodes, n_questions = len(self.value), self.n_questions
        same_length = len(self.question) == len(self.left) == n_nodes
        sound = (
            same_length
            and len(self.roots) == len(self.depth) > 0
            and _within(self.roots, n_nodes)
            and _within(self.question, n_questions)
            and _within(self.left, n_nodes)
            # A yes leads one further than a no; leaves are never answered with a yes.
            and _within(self.left + (self.question < n_questions - 1), n_nodes)
            and self.max_depth < n_nodes
            and len(self.number_feature) == len(self.number_threshold) == len(self.number_missing)
            and self.category_answer.shape == (len(self.category_feature), BITSET)
        )
        if not sound:
            raise ValueError("the arrays of the trees do not fit together")

    @property
    def n_questions(self) -> int:
        """Questions that nodes ask; the last is that of the leaves."""
        return len(self.number_feature) + len(self.category_feature) + 1


def _within(index: Index, length: int) -> bool:
    return bool(np.all((index >= 0) & (index < length)))
