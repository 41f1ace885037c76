import re
from decimal import Decimal
from pathlib import Path

import pytest
from sqlmodel import Session

from domain import strategies, tables
from domain.errors import Invalid, Refusals
from domain.pricing.content import (
    Conditions,
    DecimalRange,
    Guards,
    IntRange,
    LadderStep,
    Rounding,
    RoundingMode,
    Rule,
    StrategyContent,
)
from domain.pricing.documents import content_hash
from domain.pricing.house import house_rule
from domain.strategies.files import from_toml, import_file, to_toml
from domain.vocabulary import Fuel, Gearbox
from tests import factories
from tests.conftest import NOON

PAGE = Path(__file__).parents[2] / "docs" / "strategies.md"

EVERYTHING = StrategyContent(
    rules=(
        Rule(
            "young",
            Conditions(
                brands=("Citroën", "DS"),
                models=("C3",),
                fuels=(Fuel.PLUG_IN_HYBRID,),
                gearboxes=(Gearbox.AUTOMATIC,),
                age_years=IntRange(0, 3),
                mileage_km=IntRange(None, 60_000),
                market_price=DecimalRange(Decimal("5000.01"), None),
            ),
            Decimal("1.0001"),
            Decimal("-150.50"),
            'She said "up".\nTwice.',
        ),
        Rule("default"),
    ),
    ladder=(LadderStep(60, Decimal("0.9")), LadderStep(120, Decimal("0.8765"))),
    guards=Guards(Decimal("0.7"), Decimal("1.2"), Decimal("0.03"), Decimal(990)),
    rounding=Rounding(Decimal(100), Decimal("99.99"), RoundingMode.UP),
)


def a_version(session: Session, content: StrategyContent) -> tables.StrategyVersion:
    strategy = strategies.create(
        session,
        market=factories.a_market(session),
        name="Spring – up & down",
        description=None,
        content=content,
        by="ana",
        now=NOON,
    )
    return strategies.versions_of(session, [strategy.id])[strategy.id][0]


@pytest.mark.parametrize("content", [house_rule(), EVERYTHING], ids=["house rule", "everything"])
def test_an_export_reads_back_with_the_same_hash(
    session: Session, content: StrategyContent
) -> None:
    version = a_version(session, content)

    read = from_toml(to_toml(session, version))

    assert read.name == "Spring – up & down"
    assert content_hash(read.content) == version.content_hash


def test_decimals_are_numbers_in_the_file(session: Session) -> None:
    text = to_toml(session, a_version(session, EVERYTHING))

    assert "factor = 1.0001\n" in text
    assert "minPrice = 990\n" in text
    assert "min = 5000.01\n" in text


def test_a_new_name_is_a_new_strategy(session: Session) -> None:
    factories.a_market(session)
    file = from_toml('name = "Spring"\n[[rules]]\nkey = "default"\nfactor = 0.95\n')

    imported = import_file(session, "FR", file, by="ana", now=NOON)

    assert imported.is_new
    assert (imported.version.number, imported.version.author) == (1, "ana")


def test_a_known_name_gets_a_further_version_where_the_file_says_something_new(
    session: Session,
) -> None:
    version = a_version(session, house_rule())
    exported = to_toml(session, version)

    again = import_file(session, "FR", from_toml(exported), by="cleo", now=NOON)
    changed = from_toml(exported.replace("factor = 1.25", "factor = 1.2"))
    further = import_file(session, "FR", changed, by="cleo", now=NOON)

    assert (again.version.id, again.is_new) == (version.id, False)
    assert (further.version.number, further.version.author, further.is_new) == (2, "cleo", True)


def test_every_fault_of_a_file_is_named() -> None:
    with pytest.raises(Refusals) as refused:
        from_toml('nam = "Spring"\n[[rules]]\nkey = "default"\nfactor = "much"\n')

    assert {refusal.path for refusal in refused.value.refusals} == {
        ("name",),
        ("nam",),
        ("rules", "0", "factor"),
    }


def test_what_is_no_toml_is_refused_with_its_line() -> None:
    with pytest.raises(Invalid, match="line 2"):
        from_toml('name = "x"\nkey: 1')


def test_the_example_of_the_page_can_be_imported(session: Session) -> None:
    example = re.search(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert example is not None
    factories.a_market(session)

    imported = import_file(session, "FR", from_toml(example[1]), by="ana", now=NOON)

    assert imported.version.number == 1
