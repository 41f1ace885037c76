import numpy as np
import pytest

from ml.features import rows_of
from ml.wear import PER_KM, Wear, fit_wear
from tests.ml import made


def test_what_kilometres_take_off_is_found_among_cars_of_one_kind_and_age() -> None:
    data = made.listings()

    wear = fit_wear(rows_of(data), np.log(data.price))

    # The made market takes 2e-6 off the logarithm for each kilometre, and 0.12 for each year.
    assert wear.market == pytest.approx(-2e-6 * PER_KM, abs=0.03)


def test_a_model_without_wear_of_its_own_has_its_brands_then_the_markets() -> None:
    wear = Wear(-0.3, {"peugeot": -0.2}, {"peugeot 208": -0.1})
    row = rows_of(made.listings().take(np.array([0])))[0]._replace(mileage_km=50_000.0)
    known = row._replace(brand="peugeot", model="peugeot 208")
    sibling = known._replace(model="peugeot unheard of")
    stranger = known._replace(brand="nobody", model="nobody unheard of")

    taken_off = wear.taken_off([known, sibling, stranger])

    assert taken_off.tolist() == pytest.approx([-0.05, -0.1, -0.15])


def test_wear_never_adds_to_a_price() -> None:
    data = made.listings()
    rows = rows_of(data)
    dearer_with_mileage = np.array([row.mileage_km for row in rows]) / PER_KM

    wear = fit_wear(rows, dearer_with_mileage)

    assert {wear.market, *wear.brands.values(), *wear.models.values()} == {0.0}


def test_it_is_rebuilt_from_its_document() -> None:
    data = made.listings()
    wear = fit_wear(rows_of(data), np.log(data.price))

    assert Wear.rebuild(wear.document()).document() == wear.document()


@pytest.mark.parametrize("wrong", [0.1, float("nan")])
def test_a_document_in_which_prices_rise_with_mileage_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="cannot rise"):
        Wear.rebuild({"market": -0.3, "brands": {}, "models": {"peugeot 208": wrong}})
