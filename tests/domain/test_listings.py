from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import event
from sqlmodel import Session, select

from domain import catalogue, listings, markets, tables
from domain.errors import LimitExceeded, NotFound
from domain.listings import ListingRow
from domain.vocabulary import Fuel, Gearbox
from tests.conftest import NOON

TODAY = date(2026, 3, 2)

CLIO = ListingRow(
    source="partner",
    reference="C1",
    brand="renault",
    model="Clio",
    version=None,
    fuel="essence",
    gearbox="manuelle",
    release_year=2021,
    mileage_km=40_000,
    horsepower=90,
    engine_cc=999,
    doors=5,
    price=Decimal("12390"),
    observed_on=date(2026, 2, 1),
)


@pytest.fixture
def market(session: Session) -> tables.Market:
    return markets.add(session, code="FR", name="France", currency="EUR", now=NOON)


def add(session: Session, market: tables.Market, *rows: ListingRow) -> listings.AddedListings:
    return listings.add_listings(session, market, rows, today=TODAY)


def test_a_listing_is_stored_with_its_words_understood(
    session: Session, market: tables.Market
) -> None:
    added = add(session, market, CLIO)

    stored = session.exec(select(tables.Listing)).one()
    assert (added.added, added.refusals) == (1, ())
    assert (stored.brand, stored.fuel, stored.gearbox) == ("Renault", Fuel.PETROL, Gearbox.MANUAL)
    assert (stored.price, stored.observed_on) == (Decimal("12390.00"), date(2026, 2, 1))


def test_the_same_listing_again_is_unchanged(session: Session, market: tables.Market) -> None:
    add(session, market, CLIO)

    again = add(session, market, CLIO)

    assert (again.added, again.replaced, again.unchanged) == (0, 0, 1)


def test_a_listing_sent_again_replaces_itself(session: Session, market: tables.Market) -> None:
    add(session, market, CLIO)

    again = add(session, market, replace(CLIO, price=Decimal("11990.50")))

    assert (again.added, again.replaced, again.unchanged) == (0, 1, 0)
    assert session.exec(select(tables.Listing.price)).all() == [Decimal("11990.50")]


def test_a_reference_is_a_source_s_own(session: Session, market: tables.Market) -> None:
    added = add(session, market, CLIO, replace(CLIO, source="rival"))

    assert added.added == 2


def test_of_one_reference_in_one_call_the_later_row_stays(
    session: Session, market: tables.Market
) -> None:
    added = add(session, market, CLIO, replace(CLIO, mileage_km=41_000), CLIO, CLIO)

    assert (added.added, added.replaced, added.unchanged) == (1, 2, 1)
    assert session.exec(select(tables.Listing.mileage_km)).all() == [40_000]


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("releaseYear", 2028, "impossible release_year"),  # the year after it was seen is the last
        ("releaseYear", 1949, "impossible release_year"),
        ("mileageKm", -1, "impossible mileage_km"),
        ("mileageKm", 2_000_001, "impossible mileage_km"),
        ("price", Decimal(0), "impossible price"),
        ("price", Decimal("NaN"), "impossible price"),
        ("price", Decimal("1E+30"), "impossible price"),
        ("price", Decimal("9990.005"), "impossible price"),  # no coin is that small
        ("engineCc", 0, "impossible engine_cc"),
        ("doors", 50, "impossible doors"),
        ("horsepower", 0, "impossible horsepower"),
        ("fuel", "plutonium", "unknown fuel"),
        ("fuel", " ", "missing fuel"),
        ("gearbox", "wooden", "unknown gearbox"),
        ("brand", "", "missing brand"),
        ("model", "---", "impossible model"),  # folds to nothing, so it would be any model
        ("model", "Cl\x00io", "impossible model"),
        ("model", "C" * 201, "impossible model"),
        ("version", "RS\nLine", "impossible version"),
        ("reference", "", "missing reference"),
        ("source", "\ud800", "impossible source"),
        ("observedOn", date(2026, 3, 4), "impossible observed_on"),
    ],
)
def test_what_cannot_be_right_is_refused_at_its_path(
    session: Session, market: tables.Market, field: str, value: object, reason: str
) -> None:
    name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in field)

    added = add(session, market, CLIO, replace(CLIO, **{name: value}))

    assert [(each.path, each.fault.reason) for each in added.refusals] == [
        (("listings", "1", field), reason)
    ]
    assert added.added == 1


def test_every_fault_of_a_listing_is_named(session: Session, market: tables.Market) -> None:
    added = add(session, market, replace(CLIO, brand="", fuel="?", price=Decimal(-5)))

    assert {each.path[-1] for each in added.refusals} == {"brand", "fuel", "price"}


def test_what_is_impossible_is_a_setting_of_the_market(
    session: Session, market: tables.Market
) -> None:
    markets.change_settings(market, {"max_mileage_km": 30_000})

    added = add(session, market, CLIO)

    assert [each.fault.reason for each in added.refusals] == ["impossible mileage_km"]


def test_a_call_takes_the_same_number_of_statements_for_any_number_of_listings(
    session: Session, market: tables.Market
) -> None:
    def statements(rows: list[ListingRow]) -> int:
        made: list[str] = []
        bind = session.get_bind()
        event.listen(bind, "before_cursor_execute", record := lambda *args: made.append(args[2]))
        add(session, market, *rows)
        event.remove(bind, "before_cursor_execute", record)
        return len(made)

    few = statements([replace(CLIO, reference=f"A{n}", model=f"M{n}") for n in range(3)])
    many = statements([replace(CLIO, reference=f"B{n}", model=f"N{n}") for n in range(300)])

    assert few == many


def test_a_call_adds_1_to_1000_listings_to_a_market_that_there_is(
    session: Session, market: tables.Market
) -> None:
    with pytest.raises(LimitExceeded):
        listings.add_to_market(session, "FR", [], today=TODAY)
    with pytest.raises(LimitExceeded):
        listings.add_to_market(session, "FR", [CLIO] * 1001, today=TODAY)
    with pytest.raises(NotFound):
        listings.add_to_market(session, "XX", [CLIO], today=TODAY)

    assert listings.add_to_market(session, "FR", [CLIO], today=TODAY).added == 1


def test_a_listing_that_moves_to_another_model_leaves_the_first_one_s_count(
    session: Session, market: tables.Market
) -> None:
    add(session, market, CLIO, replace(CLIO, reference="C2", release_year=2019))

    add(session, market, replace(CLIO, reference="C2", model="Captur", release_year=2022))

    seen = {each.model: (each.seen, each.first_year) for each in catalogue.entries(session, 1)}
    assert seen == {"Clio": (1, 2021), "Captur": (1, 2022)}
