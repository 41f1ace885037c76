from datetime import date
from decimal import Decimal

import numpy as np
from sqlmodel import Session

from ml import dataset
from ml.dataset import Part, from_rows, parts, read_listings, without_repeats
from tests import factories
from tests.ml import made

CAR = ("Peugeot", "208", None, "PETROL", "MANUAL", 2020, 50_000, None, 1199, 5)
DAY = date(2026, 1, 2)


def test_the_fingerprint_ignores_the_order_of_the_listings() -> None:
    data = made.listings()

    shuffled = data.take(np.random.default_rng(5).permutation(data.rows))

    assert shuffled.fingerprint() == data.fingerprint()


def test_the_fingerprint_tells_one_price_that_changed() -> None:
    one, other = from_rows([(*CAR, 9000, DAY)]), from_rows([(*CAR, 9001, DAY)])

    assert one.fingerprint() != other.fingerprint()


def test_listings_stand_in_the_same_order_however_they_were_imported() -> None:
    rows = [(*CAR, 9000 + number, DAY) for number in range(20)]

    forwards, backwards = from_rows(rows), from_rows(rows[::-1])

    assert forwards.price.tolist() == backwards.price.tolist()


def test_a_fifth_of_the_vehicles_is_never_learnt_from() -> None:
    part = parts(made.listings())

    assert 0.17 < np.mean(part == Part.TEST) < 0.23


def test_a_car_listed_again_at_another_price_stays_in_its_part() -> None:
    data = made.listings()
    repriced = dataset.TrainingData(**{**vars(data), "price": data.price * 0.9})

    assert parts(repriced).tolist() == parts(data).tolist()
    assert dataset.folds(repriced, 4).tolist() == dataset.folds(data, 4).tolist()


def test_folds_are_of_about_one_size_and_cross_the_parts() -> None:
    data = made.listings()
    fold, unseen = dataset.folds(data, 4), parts(data) == Part.TEST

    for each in range(4):
        assert 0.21 < np.mean(fold == each) < 0.29
        assert 0.17 < np.mean(fold[unseen] == each) < 0.33


def test_of_a_car_listed_again_at_the_same_price_the_newest_listing_counts() -> None:
    data = from_rows([(*CAR, 9000, DAY), (*CAR, 9000, date(2026, 1, 9)), (*CAR, 8500, DAY)])

    kept = without_repeats(data)

    assert sorted(zip(kept.price.tolist(), kept.observed_on.tolist(), strict=True)) == [
        (8500.0, DAY),
        (9000.0, date(2026, 1, 9)),
    ]


def test_listings_are_read_from_the_market_and_the_window_asked_for(session: Session) -> None:
    entry = factories.an_entry(session)
    factories.a_listing(session, entry, price=Decimal("9000.50"), observed_on=DAY, doors=None)
    factories.a_listing(session, entry, observed_on=date(2025, 12, 31))
    elsewhere = factories.a_market(session, "UK")
    factories.a_listing(session, factories.an_entry(session, elsewhere), observed_on=DAY)

    data = read_listings(session, entry.market_id, observed_from=DAY, observed_to=DAY)

    assert data.price.tolist() == [9000.5]
    assert (data.brand[0], data.fuel[0], data.from_on, data.to_on) == (
        "Peugeot",
        "PETROL",
        DAY,
        DAY,
    )
    assert np.isnan(data.doors[0])
