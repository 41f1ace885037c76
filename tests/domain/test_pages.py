from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import Session, select

from domain import tables
from domain.errors import Invalid
from domain.offers import has_price
from domain.pages import Ordered, Place, Window, count_rows, read_page, window
from tests.factories import a_market, a_vehicle

PRICES = [5, 3, 5, 1, 5, 4, 2, 5, 3]


def references() -> Any:
    """Of all vehicles, which have their prices beside them."""
    return select(tables.Vehicle.reference).join_from(
        tables.Vehicle, tables.AskingPrice, has_price()
    )


def by_price(*, descending: bool = False) -> Ordered:
    return Ordered(
        references(),
        by=(tables.AskingPrice.__table__.c.price, tables.AskingPrice.__table__.c.vehicle_id),
        descending=descending,
    )


def a_stock(session: Session) -> list[str]:
    """Vehicles with many equal prices; their references by price, then by age of the row."""
    market = a_market(session)
    for number, price in enumerate(PRICES):
        a_vehicle(session, market=market, reference=f"S{number}", price=Decimal(price))
    return [f"S{n}" for n in sorted(range(len(PRICES)), key=lambda n: (PRICES[n], n))]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("size", [1, 2, 4, 9, 50])
def test_a_walk_forwards_meets_every_row_once_in_order(
    session: Session, descending: bool, size: int
) -> None:
    expected = a_stock(session)

    met: list[str] = []
    after: Place | None = None
    while True:
        page = read_page(session, by_price(descending=descending), Window(size, after=after))
        met += page.rows
        assert page.has_previous is (after is not None)
        if not page.has_next:
            break
        after = page.places[-1]

    assert met == (expected[::-1] if descending else expected)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("size", [1, 2, 4, 9, 50])
def test_a_walk_backwards_meets_every_row_once_in_order(
    session: Session, descending: bool, size: int
) -> None:
    expected = a_stock(session)

    met: list[str] = []
    before: Place | None = None
    while True:
        asked = Window(size, before=before, backwards=True)
        page = read_page(session, by_price(descending=descending), asked)
        met = [*page.rows, *met]
        assert page.has_next is (before is not None)
        if not page.has_previous:
            break
        before = page.places[0]

    assert met == (expected[::-1] if descending else expected)


def test_rows_added_during_a_walk_neither_repeat_nor_hide_others(session: Session) -> None:
    expected = a_stock(session)
    first = read_page(session, by_price(), Window(4))
    market = session.exec(select(tables.Market)).one()
    a_vehicle(session, market=market, reference="cheap", price=Decimal("0.50"))
    a_vehicle(session, market=market, reference="dear", price=Decimal(9))

    rest = read_page(session, by_price(), Window(50, after=first.places[-1]))

    assert [*first.rows, *rest.rows] == [*expected, "dear"]


def test_a_page_may_lie_between_two_places(session: Session) -> None:
    expected = a_stock(session)
    places = read_page(session, by_price(), Window(9)).places

    page = read_page(session, by_price(), Window(50, after=places[1], before=places[5]))

    assert page.rows == expected[2:5]


def test_whole_rows_come_as_the_entities_they_are(session: Session) -> None:
    a_stock(session)
    ordered = Ordered(select(tables.Vehicle), by=(tables.Vehicle.__table__.c.id,))

    page = read_page(session, ordered, Window(2))

    assert [vehicle.reference for vehicle in page.rows] == ["S0", "S1"]


def test_several_columns_come_as_rows_of_them_alone(session: Session) -> None:
    a_stock(session)
    columns = references().add_columns(tables.AskingPrice.__table__.c.price)
    ordered = Ordered(columns, by=(tables.Vehicle.__table__.c.id,))

    page = read_page(session, ordered, Window(1))

    assert page.rows == [("S0", Decimal(5))]


def test_an_empty_page_still_knows_whether_there_is_more(session: Session) -> None:
    a_stock(session)

    page = read_page(session, by_price(), Window(0))

    assert (page.rows, page.has_next) == ([], True)


def test_the_total_counts_the_filtered_list(session: Session) -> None:
    a_stock(session)
    dear = tables.AskingPrice.__table__.c.price >= Decimal(4)
    ordered = Ordered(references().where(dear), by=(tables.Vehicle.__table__.c.id,))

    assert count_rows(session, ordered) == 5


@pytest.mark.parametrize(
    "place",
    [
        (),
        (Decimal(1),),
        (Decimal(1), 1, 1),
        ("1", 1),
        (1, 1),
        (Decimal("1.005"), 1),
        (Decimal("NaN"), 1),
        (Decimal(10) ** 30, 1),
        (Decimal("1e999999"), 1),
        (Decimal(1), "1"),
        (Decimal(1), 2**63),
        (Decimal(1), datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
@pytest.mark.parametrize("side", ["after", "before"])
def test_a_place_of_another_list_is_refused_at_its_argument(
    session: Session, place: Place, side: str
) -> None:
    asked: dict[str, Any] = {side: place}

    with pytest.raises(Invalid) as refusal:
        read_page(session, by_price(), Window(**asked))

    assert refusal.value.path == (side,)


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({"first": -1}, ("first",)),
        ({"first": 201}, ("first",)),
        ({"last": -1}, ("last",)),
        ({"last": 201}, ("last",)),
        ({"first": 1, "last": 1}, ("last",)),
    ],
)
def test_a_size_outside_the_limits_is_refused_at_its_argument(
    arguments: dict[str, int], path: tuple[str]
) -> None:
    with pytest.raises(Invalid) as refusal:
        window(**arguments)

    assert refusal.value.path == path


def test_a_page_has_fifty_rows_where_nothing_else_is_asked() -> None:
    assert (window().size, window().backwards) == (50, False)
    assert (window(first=200).size, window(last=3).backwards) == (200, True)
