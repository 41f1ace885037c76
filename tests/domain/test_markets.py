from decimal import Decimal

import pytest
from sqlmodel import Session

from domain import markets
from domain.errors import Conflict, NotFound, Refusals
from tests.conftest import NOON


def test_a_market_is_found_by_its_code(session: Session) -> None:
    added = markets.add(session, code="FR", name=" France ", currency="EUR", now=NOON)

    assert markets.by_code(session, "FR").id == added.id
    assert added.name == "France"


def test_a_code_is_taken_once(session: Session) -> None:
    markets.add(session, code="FR", name="France", currency="EUR", now=NOON)

    with pytest.raises(Conflict):
        markets.add(session, code="FR", name="Frankreich", currency="EUR", now=NOON)

    assert [each.name for each in markets.all_markets(session)] == ["France"]


def test_every_fault_of_a_new_market_is_named(session: Session) -> None:
    with pytest.raises(Refusals) as refused:
        markets.add(session, code="fr", name=" ", currency="FRF?", now=NOON)

    assert [each.path for each in refused.value.refusals] == [("code",), ("name",), ("currency",)]


def test_an_unknown_code_names_the_known_ones(session: Session) -> None:
    markets.add(session, code="UK", name="Britain", currency="GBP", now=NOON)
    markets.add(session, code="FR", name="France", currency="EUR", now=NOON)

    with pytest.raises(NotFound, match="FR, UK") as refused:
        markets.by_code(session, "XX")

    assert refused.value.path == ("market",)


def test_a_changed_setting_is_in_force_and_the_others_keep_their_default(
    session: Session,
) -> None:
    market = markets.add(session, code="JP", name="Japan", currency="JPY", now=NOON)

    markets.change_settings(market, {"max_price": "500000000"})

    settings = markets.settings_of(market)
    assert settings.max_price == Decimal(500_000_000)
    assert settings.quote_validity_days == 14
    assert market.settings == {"max_price": "500000000"}


def test_a_setting_changed_to_none_goes_back_to_the_default(session: Session) -> None:
    market = markets.add(session, code="FR", name="France", currency="EUR", now=NOON)
    markets.change_settings(market, {"max_doors": 5, "quote_validity_days": 7})

    markets.change_settings(market, {"max_doors": None})

    assert market.settings == {"quote_validity_days": 7}


@pytest.mark.parametrize(
    "change",
    [
        {"max_milage_km": 1},  # no such setting
        {"quote_validity_days": 0},
        {"max_price": "cheap"},
        {"min_doors": 9},  # the most doors are 9
    ],
)
def test_a_setting_that_cannot_be_is_refused(session: Session, change: dict[str, object]) -> None:
    market = markets.add(session, code="FR", name="France", currency="EUR", now=NOON)

    with pytest.raises(Refusals):
        markets.change_settings(market, change)

    assert market.settings == {}
