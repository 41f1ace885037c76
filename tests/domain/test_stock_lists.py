from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from domain import offers, stock_lists
from domain.database import Database
from domain.errors import NotFound
from domain.offers import Offer
from domain.pages import Direction, Place, Window, count_rows, read_page
from domain.stock_lists import VehicleFilter, VehicleOrder, VehicleOrderField
from domain.vocabulary import Fuel, Gearbox, brand_name, fold
from tests.factories import a_market, a_vehicle, an_entry

MODELS = [
    ("Peugeot", "308", "1.2 PureTech 130 Allure"),
    ("Citroën", "C3", None),
    ("Citroën", "C3 Aircross", "1.6 BlueHDi Édition"),
    ("Volkswagen", "Golf", "2.0 TDI"),
    ("DS", "DS 3", "100% électrique"),
]
COLOURS = ["Rouge", "rouge", "Écru", None]


def a_stock(session: Session) -> list[Offer]:
    """Sixty vehicles in two markets, each of a kind of its own."""
    entries = [
        an_entry(session, market=market, brand=brand, model=model, version=version, fuel=fuel)
        for market in (a_market(session), a_market(session, "BE"))
        for brand, model, version in MODELS
        for fuel in (Fuel.PETROL, Fuel.DIESEL)
    ]
    vehicles = [
        a_vehicle(
            session,
            entry,
            gearbox=[Gearbox.MANUAL, Gearbox.AUTOMATIC, None][number % 3],
            colour=COLOURS[number % 4],
            doors=[3, 5, None][number % 3],
            price=Decimal(8_000 + 500 * (number % 7)) + Decimal("0.50") * (number % 2),
            release_year=2015 + number % 5,
            mileage_km=10_000 * (number % 6),
            acquired_on=date(2026, 1, 1) + timedelta(days=number % 4),
        )
        for number, entry in enumerate(3 * entries)
    ]
    found = offers.by_id(session, [each.id for each in vehicles])
    return [found[each.id] for each in vehicles]


@pytest.fixture
def stocked(database: Database) -> Iterator[tuple[Session, list[Offer], dict[int, str]]]:
    with database.unit_of_work() as session:
        stock = a_stock(session)
        markets = {a_market(session).id: "FR", a_market(session, "BE").id: "BE"}
        yield session, stock, markets


def references(session: Session, wanted: VehicleFilter) -> list[str]:
    ordered = stock_lists.listed(session, wanted, None)
    rows = read_page(session, ordered, Window(200)).rows
    return [Offer(*row).vehicle.reference for row in rows]


def accepts(wanted: VehicleFilter, offer: Offer, market: str) -> bool:
    """The filter read aloud, one vehicle at a time."""
    vehicle = offer.vehicle
    names = fold(f"{vehicle.brand} {vehicle.model} {vehicle.version or ''}")
    claims: list[tuple[Any, Callable[[Any], bool]]] = [
        (wanted.market, lambda given: market == given),
        (
            wanted.brands,
            lambda given: fold(vehicle.brand) in {fold(brand_name(each)) for each in given},
        ),
        (wanted.fuels, lambda given: vehicle.fuel in given),
        (wanted.gearboxes, lambda given: vehicle.gearbox in given),
        (
            wanted.colours,
            lambda given: (vehicle.colour or "?").lower() in {each.lower() for each in given},
        ),
        (wanted.doors, lambda given: vehicle.doors == given),
        (wanted.min_price, lambda given: offer.price >= given),
        (wanted.max_price, lambda given: offer.price <= given),
        (wanted.min_release_year, lambda given: vehicle.release_year >= given),
        (wanted.max_release_year, lambda given: vehicle.release_year <= given),
        (wanted.min_mileage_km, lambda given: vehicle.mileage_km >= given),
        (wanted.max_mileage_km, lambda given: vehicle.mileage_km <= given),
        (wanted.search, lambda given: all(fold(word) in names for word in given.split())),
    ]
    return all(holds(given) for given, holds in claims if given is not None)


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | st.none() | values


def some(*values: Any) -> st.SearchStrategy[Any]:
    return maybe(st.lists(st.sampled_from(values), max_size=2))


amounts = st.sampled_from(["0", "8000.005", "8500", "9000.501", "10499.99", "1e29", "-1e29"])
filters = st.builds(
    VehicleFilter,
    market=maybe(st.sampled_from(["FR", "BE"])),
    brands=some("vw", "citroen", "PEUGEOT", "ds", "Tesla"),
    fuels=some(Fuel.PETROL, Fuel.DIESEL, Fuel.LPG),
    gearboxes=some(Gearbox.MANUAL, Gearbox.AUTOMATIC),
    colours=some("ROUGE", "écru", "noir", "rou\0ge"),
    doors=maybe(st.sampled_from([3, 5, 7])),
    min_price=maybe(amounts.map(Decimal)),
    max_price=maybe(amounts.map(Decimal)),
    min_release_year=maybe(st.integers(2014, 2021)),
    max_release_year=maybe(st.integers(2014, 2021)),
    min_mileage_km=maybe(st.integers(-1, 60_000)),
    max_mileage_km=maybe(st.integers(-1, 60_000)),
    search=maybe(st.sampled_from(["c3", "CITROEN air", "édition", "1,2 puretech", "golf polo"])),
)


@given(wanted=filters)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_filter_finds_what_reading_it_aloud_finds(
    stocked: tuple[Session, list[Offer], dict[int, str]], wanted: VehicleFilter
) -> None:
    session, stock, markets = stocked

    expected = [
        each.vehicle.reference
        for each in stock
        if accepts(wanted, each, markets[each.vehicle.market_id])
    ]

    assert references(session, wanted) == expected


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", 60),
        ("  ", 60),
        ("%", 0),
        ("_", 0),
        ("%3%", 48),  # signs beside a word are not looked at: the 308, both C3s, the DS 3
        ("100% ÉLECTRIQUE", 12),
        ("c3'; --", 24),
        ("\0", 0),
    ],
)
def test_signs_in_a_search_are_neither_wildcards_nor_harmful(
    stocked: tuple[Session, list[Offer], dict[int, str]], search: str, found: int
) -> None:
    session = stocked[0]

    assert len(references(session, VehicleFilter(search=search))) == found


def test_a_market_that_does_not_exist_is_named(session: Session) -> None:
    with pytest.raises(NotFound) as refusal:
        stock_lists.listed(session, VehicleFilter(market="XX"), None)

    assert refusal.value.path == ("filter", "market")


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("field", VehicleOrderField)
def test_a_walk_in_any_order_meets_each_vehicle_once_while_others_come(
    session: Session, field: VehicleOrderField, direction: Direction
) -> None:
    stock = a_stock(session)
    attribute: Callable[[Offer], Any] = {
        VehicleOrderField.PRICE: lambda each: each.price,
        VehicleOrderField.DAYS_IN_STOCK: lambda each: -each.vehicle.acquired_on.toordinal(),
    }.get(field, lambda each: getattr(each.vehicle, field.value.lower()))
    ordered = stock_lists.listed(session, VehicleFilter(), VehicleOrder(field, direction))

    met: list[Offer] = []
    after: Place | None = None
    while True:
        page = read_page(session, ordered, Window(7, after=after))
        met += [Offer(*row) for row in page.rows]
        if not page.has_next:
            break
        after = page.places[-1]
        a_vehicle(session, reference=f"V0-{len(met)}", price=Decimal(8_500))

    keys = [attribute(each) for each in met]
    assert keys == sorted(keys, reverse=direction is Direction.DESC)
    ids = [each.vehicle.id for each in met]
    assert len(set(ids)) == len(ids)
    assert set(ids) >= {each.vehicle.id for each in stock}


def test_the_total_is_that_of_the_filter(session: Session) -> None:
    a_stock(session)

    ordered = stock_lists.listed(session, VehicleFilter(market="FR", brands=["VW"]), None)

    assert count_rows(session, ordered) == 6


@pytest.mark.parametrize("reference", ["V0", "V\0"])
def test_a_stock_number_that_nobody_has_finds_nothing(session: Session, reference: str) -> None:
    a_market(session)

    assert offers.of_reference(session, "FR", reference) is None
