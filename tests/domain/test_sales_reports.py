import pytest
from sqlmodel import Session

from domain import sales_reports
from domain.errors import LimitExceeded
from domain.sales_lists import OrderFilter
from domain.sales_reports import SalesGroup
from tests.factories import a_vehicle, an_entry, an_order


def test_more_groups_than_can_be_answered_are_refused_and_never_cut_in_silence(
    session: Session,
) -> None:
    for brand in ("Skoda", "Audi", "Opel"):
        an_order(session, a_vehicle(session, an_entry(session, brand=brand)))
    asked = (session, "FR", SalesGroup.BRAND, OrderFilter())

    with pytest.raises(LimitExceeded, match="There are 3 groups, and 2 can be answered"):
        sales_reports.sales(*asked, most=2)

    assert [row.key for row in sales_reports.sales(*asked, most=3)] == [
        ("Audi",),
        ("Opel",),
        ("Skoda",),
    ]
    assert [row.key for row in sales_reports.sales(*asked, first=2, most=2)] == [
        ("Audi",),
        ("Opel",),
    ]
