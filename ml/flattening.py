"""Boosted trees: fitted by scikit-learn, kept as flat arrays.

It reads private attributes of scikit-learn, whose version is pinned for that; the tests compare the
two bit for bit.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from joblib import parallel_config
from numpy.typing import NDArray

from ml.features import CATEGORIES
from ml.trees import BITSET, Index, Matrix, Trees

# Threads that spin while they wait starve everything else on the machine: two trainings at once
# then take more than ten times as long. scikit-learn's library reads this when it is loaded.
os.putenv("OMP_WAIT_POLICY", "passive")

from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

Nodes = NDArray[Any]
"""scikit-learn's node records, here of all trees, one after the other."""


def fit_trees(
    matrix: Matrix,
    target: Matrix,
    *,
    columns: Sequence[str],
    never_rises_with: Sequence[str] = (),
    seed: int,
    **settings: Any,
) -> Trees:
    """Trees whose sum is the expected ``target`` of a row.

    Args:
        matrix: shape (n_rows, n_columns), made by an ``Encoder``.
        target: shape (n_rows,).
        columns: the names of the columns, categories first.
        never_rises_with: the columns with which the sum may only fall.
        settings: of ``HistGradientBoostingRegressor``.
    """
    kept = {"columns": columns, "never_rises_with": never_rises_with}
    return flatten(boosted(matrix, target, seed=seed, **kept, **settings))


def boosted(
    matrix: Matrix,
    target: Matrix,
    *,
    columns: Sequence[str],
    never_rises_with: Sequence[str] = (),
    seed: int,
    **settings: Any,
) -> HistGradientBoostingRegressor:
    """``fit_trees`` before they are flat; several may be made side by side, in threads."""
    estimator = HistGradientBoostingRegressor(
        categorical_features=[name in CATEGORIES for name in columns],
        monotonic_cst=[-1 if name in never_rises_with else 0 for name in columns],
        early_stopping=False,
        random_state=seed,
        **settings,
    )
    # One thread: a second one takes off as much time as it costs to hand the small parts of a tree
    # over and back. Whoever has cores to spare, or a cluster, fits several at once.
    with threadpool_limits(1, user_api="openmp"), parallel_config("sequential"):
        return estimator.fit(matrix, target)


def flatten(*estimators: HistGradientBoostingRegressor) -> Trees:
    """Trees whose sum is the mean of what estimators of one output estimate.

    Their categories must come first among their features and be coded 0, 1, 2...: scikit-learn
    moves and renumbers them otherwise. All must have seen the same categories.
    """
    share = 1 / len(estimators)
    predictors = [iteration[0] for each in estimators for iteration in each._predictors]
    nodes, roots = _joined([predictor.nodes for predictor in predictors])
    categories = _category_answers(estimators[0], predictors, nodes)
    order, depth = _by_level(nodes, roots)
    place = np.empty(len(nodes), dtype=np.intp)
    place[order] = np.arange(len(nodes))
    nodes, categories = nodes[order], categories[order]

    leaf = nodes["is_leaf"].astype(bool)
    question, numbers, category_questions = _questions(nodes, categories, leaf)
    return Trees(
        baseline=sum(float(each._baseline_prediction.item()) * share for each in estimators),
        roots=place[roots],
        question=question,
        left=np.where(leaf, np.arange(len(nodes)), place[nodes["left"].astype(np.intp)]),
        value=np.where(leaf, nodes["value"] * share, 0.0),
        depth=depth,
        number_feature=numbers["feature"].astype(np.intp),
        number_threshold=numbers["threshold"].copy(),
        number_missing=numbers["missing"].astype(bool),
        category_feature=category_questions[:, 0].astype(np.intp),
        category_answer=category_questions[:, 1:],
    )


def _joined(trees: Sequence[Nodes]) -> tuple[Nodes, Index]:
    """All nodes in one array, children counted from its start, and where each tree begins."""
    roots = np.cumsum([0, *(len(tree) for tree in trees[:-1])]).astype(np.intp)
    nodes = np.concatenate(trees)
    shift = np.repeat(roots, [len(tree) for tree in trees])
    inner = ~nodes["is_leaf"].astype(bool)
    for child in ("left", "right"):
        nodes[child] += np.where(inner, shift, 0).astype(nodes[child].dtype)
    return nodes, roots


def _by_level(nodes: Nodes, roots: Index) -> tuple[Index, Index]:
    """An order of the nodes with siblings side by side, and the depth of each tree."""
    order = [roots]
    depth = np.zeros(len(roots), dtype=np.intp)
    level, tree = roots, np.arange(len(roots))
    while True:
        inner = ~nodes["is_leaf"][level].astype(bool)
        if not inner.any():
            return np.concatenate(order), depth
        parents, tree = level[inner], np.repeat(tree[inner], 2)
        children = np.column_stack([nodes["left"][parents], nodes["right"][parents]])
        level = children.ravel().astype(np.intp)
        depth[tree] += 1
        depth = np.minimum(depth, len(order))
        order.append(level)


def _category_answers(
    estimator: HistGradientBoostingRegressor, predictors: Sequence[Any], nodes: Nodes
) -> NDArray[np.uint8]:
    """By node that asks for a category, its answer to each code: 1 leads right."""
    known_bits, place_of_feature = estimator._bin_mapper.make_known_categories_bitsets()
    answers = np.zeros((len(nodes), BITSET), dtype=np.uint8)
    asks = nodes["is_categorical"].astype(bool) & ~nodes["is_leaf"].astype(bool)
    if not asks.any():
        return answers
    bitsets = [predictor.raw_left_cat_bitsets for predictor in predictors]
    first = np.cumsum([0, *(len(bits) for bits in bitsets[:-1])])
    tree = np.repeat(np.arange(len(predictors)), [len(each.nodes) for each in predictors])
    goes_left = _bits(np.concatenate(bitsets))[(first[tree] + nodes["bitset_idx"])[asks]]
    known = _bits(known_bits)[place_of_feature[nodes["feature_idx"][asks]]]
    missing = 1 - nodes["missing_go_to_left"][asks, np.newaxis]
    answers[asks] = np.where(goes_left == 1, 0, np.where(known == 1, 1, missing))
    return answers


def _bits(words: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Bit sets of eight 32-bit words as one byte a bit, shape (n_sets, 256)."""
    little = np.ascontiguousarray(words, dtype="<u4").view(np.uint8)
    return np.unpackbits(little.reshape(len(words), -1), axis=1, bitorder="little")


def _questions(
    nodes: Nodes, categories: NDArray[np.uint8], leaf: NDArray[np.bool_]
) -> tuple[Index, NDArray[Any], NDArray[np.uint8]]:
    """By node the question it asks, and the distinct ones: numbers, then categories."""
    by_category = nodes["is_categorical"].astype(bool) & ~leaf
    by_number = ~by_category & ~leaf
    asked = np.empty(
        np.count_nonzero(by_number),
        dtype=[("feature", np.int16), ("threshold", np.float64), ("missing", np.uint8)],
    )
    asked["feature"] = nodes["feature_idx"][by_number]
    asked["threshold"] = nodes["num_threshold"][by_number]
    asked["missing"] = 1 - nodes["missing_go_to_left"][by_number]
    numbers, which_number = np.unique(asked, return_inverse=True)
    named = np.column_stack(
        [nodes["feature_idx"][by_category].astype(np.uint8), categories[by_category]]
    )
    category_questions, which_category = np.unique(named, axis=0, return_inverse=True)

    question = np.full(len(nodes), len(numbers) + len(category_questions), dtype=np.intp)
    question[by_number] = which_number
    question[by_category] = len(numbers) + which_category
    return question, numbers, category_questions
