import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest

from domain.errors import Invalid, Refusals
from ml import algorithms
from ml.algorithms.check import ContractBroken, check, made_listings
from ml.algorithms.contract import State
from ml.algorithms.linear_regression import LinearRegression
from ml.features import FeatureRow
from ml.linear import LinearFormula


@pytest.mark.parametrize("name", sorted(algorithms.BUILT_IN))
def test_every_built_in_algorithm_keeps_the_contract(name: str) -> None:
    check(algorithms.get(name))


class ForgetfulAlgorithm(LinearRegression):
    """Loses a cent when it is rebuilt."""

    def rebuild(self, state: State) -> LinearFormula:
        formula = super().rebuild(state)
        return dataclasses.replace(formula, intercept=formula.intercept + 0.01)


class MoodyFormula(LinearFormula):
    """Estimates a row by its neighbours."""

    def log_prices(self, rows: Sequence[FeatureRow]) -> np.ndarray:
        return super().log_prices(rows) + len(rows) * 1e-9


class MoodyAlgorithm(LinearRegression):
    def fit(self, *args: object, **kwargs: object) -> MoodyFormula:
        return MoodyFormula(**vars(super().fit(*args, **kwargs)))


@pytest.mark.parametrize(
    ("algorithm", "promise"),
    [
        (ForgetfulAlgorithm(), "rebuilt estimates the same"),
        (MoodyAlgorithm(), "a row alone"),
    ],
)
def test_an_algorithm_that_breaks_the_contract_is_told_which_promise(
    algorithm: LinearRegression, promise: str
) -> None:
    with pytest.raises(ContractBroken, match=promise):
        check(algorithm)


def test_an_unknown_algorithm_is_answered_with_those_there_are() -> None:
    with pytest.raises(Invalid, match="hist_gradient_boosting, ridge, linear_regression") as caught:
        algorithms.get("crystal_ball")

    assert caught.value.path == ("algorithm",)


def test_hyperparameters_are_completed_with_their_defaults() -> None:
    complete = algorithms.validate_hyperparameters("hist_gradient_boosting", {"leaves": 31})

    assert complete["leaves"] == 31
    assert complete["iterations"] is None


@pytest.mark.parametrize(
    ("given", "name", "allowed"),
    [
        ({"leaves": 1}, "leaves", "a whole number from 2 up to 1000"),
        ({"leaves": "many"}, "leaves", "a whole number"),
        ({"learning_rate": 0}, "learning_rate", "above 0 up to 1"),
        ({"magic": 1}, "magic", "there are iterations, learning_rate"),
    ],
)
def test_a_wrong_hyperparameter_is_told_what_is_allowed(
    given: dict[str, object], name: str, allowed: str
) -> None:
    with pytest.raises(Refusals, match=allowed) as caught:
        algorithms.validate_hyperparameters("hist_gradient_boosting", given)

    assert [each.path for each in caught.value.refusals] == [("hyperparameters", name)]


def test_every_wrong_hyperparameter_is_named_at_once() -> None:
    with pytest.raises(Refusals) as caught:
        algorithms.validate_hyperparameters("hist_gradient_boosting", {"leaves": 1, "l2": -1})

    assert [each.path[-1] for each in caught.value.refusals] == ["l2", "leaves"]


def test_a_price_can_be_recomputed_by_hand_from_the_coefficients() -> None:
    rows, prices = made_listings()
    algorithm = algorithms.get("linear_regression")
    formula = algorithm.fit(rows, prices, hyperparameters={}, seed=0, progress=lambda _share: None)
    plain = algorithm.parameters(formula)
    car = rows[1]._replace(gearbox="MANUAL", engine_cc=1499.0)

    by_hand = (
        plain["intercept"]
        + sum(plain["levels"][name][getattr(car, name)] for name in ("brand", "fuel", "gearbox"))
        + plain["slopes"]["age_years"] * car.age_years
        + plain["slopes"]["mileage_km"] * car.mileage_km
        + plain["slopes"]["engine_cc"] * car.engine_cc
    )

    assert by_hand == pytest.approx(np.exp(formula.log_prices([car])[0]))


@pytest.mark.parametrize("name", ["linear_regression", "ridge"])
def test_a_formula_is_what_scikit_learn_fitted(name: str) -> None:
    from ml.algorithms import linear_regression, ridge
    from ml.algorithms.linear_fit import Design

    rows, prices = made_listings()
    terms = {"linear_regression": linear_regression, "ridge": ridge}[name].TERMS
    design = Design(rows, prices, dataclasses.replace(terms, never_rises_with=()))
    draw = np.random.default_rng(0)
    coefficients = draw.normal(size=design.matrix().shape[1]) * 0.001 * design.target.mean()

    formula = design.formula(coefficients, design.target.mean())

    expected = design.matrix() @ coefficients + design.target.mean()
    found = formula.log_prices(rows)
    found = found if terms.target == "log_price" else np.exp(found)
    assert found == pytest.approx(expected, rel=1e-9)
