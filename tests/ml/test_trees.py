import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

from ml.flattening import flatten
from ml.trees import Trees

CATEGORIES = [True, True, False, False, False]


def a_matrix(count: int, *, seed: int) -> np.ndarray:
    """Two categories and three numbers, a tenth of each missing."""
    draw = np.random.default_rng(seed)
    matrix = np.column_stack(
        [
            draw.integers(0, 255, count).astype(float),
            draw.integers(0, 4, count).astype(float),
            draw.normal(size=(count, 3)).round(1),
        ]
    )
    matrix[draw.random(matrix.shape) < 0.1] = np.nan
    return matrix


@pytest.fixture(scope="module")
def estimator() -> HistGradientBoostingRegressor:
    matrix = a_matrix(6000, seed=1)
    target = np.nan_to_num(matrix[:, 0] % 7 + matrix[:, 2] * matrix[:, 1] - matrix[:, 3])
    return HistGradientBoostingRegressor(
        max_iter=80, categorical_features=CATEGORIES, random_state=0
    ).fit(matrix, target)


def test_flat_trees_answer_as_scikit_learn_to_the_last_bit(
    estimator: HistGradientBoostingRegressor,
) -> None:
    seen_and_unseen = a_matrix(10_000, seed=2)

    flat = flatten(estimator).predict(seen_and_unseen)

    assert flat.tobytes() == estimator.predict(seen_and_unseen).tobytes()


def test_categories_that_were_never_seen_count_as_missing() -> None:
    matrix = a_matrix(4000, seed=3)
    few = matrix[matrix[:, 0] < 100]
    estimator = HistGradientBoostingRegressor(
        max_iter=20, categorical_features=CATEGORIES, random_state=0
    ).fit(few, np.nan_to_num(few[:, 2]) + few[:, 0] % 3)

    flat = flatten(estimator).predict(matrix)

    assert flat.tobytes() == estimator.predict(matrix).tobytes()


def test_a_row_alone_gets_the_answer_that_it_gets_among_others(
    estimator: HistGradientBoostingRegressor,
) -> None:
    trees, matrix = flatten(estimator), a_matrix(500, seed=4)

    alone = [trees.predict(matrix[[row]])[0] for row in range(len(matrix))]

    assert alone == trees.predict(matrix).tolist()


def test_trees_are_rebuilt_from_their_arrays(estimator: HistGradientBoostingRegressor) -> None:
    trees, matrix = flatten(estimator), a_matrix(500, seed=5)

    rebuilt = Trees.rebuild(trees.arrays())

    assert rebuilt.predict(matrix).tobytes() == trees.predict(matrix).tobytes()


@pytest.mark.parametrize("name", ["left", "question", "roots"])
@pytest.mark.parametrize("wrong", [-1, 2**31 - 1])
def test_an_index_out_of_its_array_is_refused(
    estimator: HistGradientBoostingRegressor, name: str, wrong: int
) -> None:
    arrays = flatten(estimator).arrays()
    arrays[name] = arrays[name].copy()
    arrays[name][0] = wrong

    with pytest.raises(ValueError, match="do not fit together"):
        Trees.rebuild(arrays)


@pytest.mark.parametrize(
    "leaves",
    [
        2,  # one question a tree
        64,  # as many as a mask has bits
        100,  # more than that: they are walked
    ],
)
def test_trees_of_any_size_answer_many_rows_as_scikit_learn(leaves: int) -> None:
    matrix = a_matrix(3000, seed=5)
    estimator = HistGradientBoostingRegressor(
        max_iter=70, max_leaf_nodes=leaves, categorical_features=CATEGORIES, random_state=0
    ).fit(matrix, np.nan_to_num(matrix[:, 2] * matrix[:, 3]) + np.nan_to_num(matrix[:, 0]) % 5)

    flat = flatten(estimator).predict(matrix)

    assert flat.tobytes() == estimator.predict(matrix).tobytes()


def test_trees_that_ask_nothing_answer_many_rows() -> None:
    matrix = a_matrix(100, seed=6)
    estimator = HistGradientBoostingRegressor(max_iter=3, categorical_features=CATEGORIES).fit(
        matrix, np.full(100, 5.0)
    )

    flat = flatten(estimator).predict(matrix)

    assert flat.tobytes() == estimator.predict(matrix).tobytes()


def test_flat_trees_of_two_estimators_give_their_mean() -> None:
    matrix = a_matrix(500, seed=7)
    target = np.nan_to_num(matrix[:, 2])
    two = [
        HistGradientBoostingRegressor(
            max_iter=20, max_features=0.5, categorical_features=CATEGORIES, random_state=seed
        ).fit(matrix, target)
        for seed in (0, 1)
    ]

    mean = flatten(*two).predict(matrix)

    one, other = (estimator.predict(matrix) for estimator in two)
    assert np.abs(one - other).max() > 1e-3
    np.testing.assert_allclose(mean, (one + other) / 2, rtol=1e-12)
