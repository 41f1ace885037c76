"""The one test that every package with an algorithm should have."""

from forecourt_random_forest import RandomForest

from ml.algorithms.check import check


def test_the_random_forest_keeps_the_contract_of_an_algorithm() -> None:
    """It predicts, and is saved and rebuilt without training to the same estimates."""
    check(RandomForest())
