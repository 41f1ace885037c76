import pytest
from sqlalchemy import update
from sqlmodel import Session, select

from domain import catalogue, markets, tables
from domain.catalogue import Registered, Sighting
from domain.vehicles import Specification
from domain.vocabulary import Fuel, Gearbox
from tests.conftest import NOON


def a_specification(brand: str, model: str, version: str | None = None) -> Specification:
    return Specification(brand, model, version, Fuel.PETROL, Gearbox.MANUAL, 5, None, 1200)


@pytest.fixture
def market(session: Session) -> tables.Market:
    return markets.add(session, code="FR", name="France", currency="EUR", now=NOON)


def register(session: Session, market: tables.Market, *names: tuple[str, str]) -> list[Registered]:
    specifications = [a_specification(brand, model) for brand, model in names]
    entries = catalogue.register(session, market.id, specifications)
    return [entries[each] for each in specifications]


@pytest.mark.parametrize(
    ("first", "second", "one_model"),
    [
        (("Mercedes-Benz", "SL CLASS"), ("Mercedes-Benz", "SL-Class"), True),
        (("Ford", "KA"), ("Ford", "Ka+"), False),
        (("VW", "Golf"), ("Volkswagen", "golf"), True),
        (("Citroën", "C3"), ("CITROEN", "C3"), True),
        (("Mazda", "3"), ("Mazda", "6"), False),
    ],
)
def test_spellings_that_fold_alike_are_one_model(
    session: Session,
    market: tables.Market,
    first: tuple[str, str],
    second: tuple[str, str],
    one_model: bool,
) -> None:
    [before] = register(session, market, first)

    [after] = register(session, market, second)

    assert (before == after) is one_model


def test_a_model_keeps_the_name_that_came_first_also_in_other_specifications(
    session: Session, market: tables.Market
) -> None:
    register(session, market, ("Wiesmann", "GT MF4"))
    other = a_specification("WIESMANN", "gt mf4", version="Roadster")

    entry = catalogue.register(session, market.id, [other])[other]

    assert (entry.brand, entry.model, entry.version) == ("Wiesmann", "GT MF4", "Roadster")


def test_the_same_model_is_another_entry_in_another_market(
    session: Session, market: tables.Market
) -> None:
    britain = markets.add(session, code="UK", name="Britain", currency="GBP", now=NOON)

    assert register(session, market, ("Ford", "Ka")) != register(session, britain, ("Ford", "Ka"))


def test_what_nothing_is_left_of_is_no_entry(session: Session, market: tables.Market) -> None:
    first, second = register(session, market, ("Ford", "Ka"), ("Ford", "Focus"))
    catalogue.account(session, market.id, [(None, Sighting(first.id, 2015))])

    catalogue.recount(session, [first.id, second.id])

    assert catalogue.entries(session, market.id) == []


def test_added_sightings_are_counted_with_their_years(
    session: Session, market: tables.Market
) -> None:
    [ka] = register(session, market, ("Ford", "Ka"))

    for years in ([2015, 2017], [2012], [2016]):
        catalogue.account(session, market.id, [(None, Sighting(ka.id, year)) for year in years])

    [entry] = catalogue.entries(session, market.id)
    assert (entry.seen, entry.first_year, entry.last_year) == (4, 2012, 2017)


def test_a_change_of_the_catalogue_raises_its_revision(
    session: Session, market: tables.Market
) -> None:
    [ka] = register(session, market, ("Ford", "Ka"))
    unmoved = Sighting(ka.id, 2015)

    catalogue.account(session, market.id, [(None, unmoved)])
    catalogue.account(session, market.id, [(unmoved, unmoved)])

    assert session.exec(select(tables.Market.catalogue_revision)).one() == 1


def test_a_catalogue_is_read_without_an_object_of_the_database_for_each_entry(
    session: Session, market: tables.Market
) -> None:
    register(session, market, *(("Ford", f"Model {number}") for number in range(100)))
    session.execute(update(tables.CatalogueEntry).values(seen=1))
    session.expunge_all()

    entries = catalogue.entries(session, market.id)

    # They would take ten times as long: a catalogue of 50 000 is read with every change.
    assert len(entries) == 100
    assert len(session.identity_map) == 0
