import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlmodel import Session, select

from domain import activations, pages, simulations, strategies, tables
from domain.database import Database
from domain.errors import (
    Conflict,
    FourEyes,
    InvalidState,
    NotFound,
    Refusal,
    Refusals,
    SimulationRequired,
)
from domain.pricing.content import Conditions, Rule, StrategyContent
from domain.pricing.house import house_rule
from domain.strategies import StrategyFilter, StrategyStatus
from domain.tables import StoredStatus, Verdict
from domain.vocabulary import Fuel
from tests import factories
from tests.conftest import NOON

OTHER_CONTENT = StrategyContent((Rule("default", factor=Decimal("0.95")),))
DAY = timedelta(days=1)


def a_draft(
    session: Session, content: StrategyContent = OTHER_CONTENT, *, name: str = "House rule"
) -> tables.StrategyVersion:
    market = factories.a_market(session)
    strategy = strategies.create(
        session, market=market, name=name, description=None, content=content, by="ana", now=NOON
    )
    return strategies.versions_of(session, [strategy.id])[strategy.id][0]


def a_submitted_version(session: Session, name: str = "House rule") -> tables.StrategyVersion:
    version = a_draft(session, name=name)
    factories.a_succeeded_simulation(session, version)
    return strategies.submit(session, version.id, by="ana", now=NOON)


def an_approved_version(session: Session, name: str = "House rule") -> tables.StrategyVersion:
    version = a_submitted_version(session, name)
    return strategies.approve(session, version.id, by="bob", now=NOON)


def status(session: Session, version: tables.StrategyVersion) -> StrategyStatus:
    strategy = strategies.get(session, version.strategy_id)
    ledger = activations.ledger_of(session, strategy.market_id)
    return strategies.status(version, ledger, at=NOON)


def actions(session: Session, version: tables.StrategyVersion) -> list[str]:
    event = tables.AuditEvent
    statement = select(event.action).where(event.subject_id == version.id).order_by(event.id)
    return list(session.exec(statement).all())


def test_a_new_strategy_has_a_draft_as_its_first_version(session: Session) -> None:
    version = a_draft(session)

    assert (version.number, version.author, version.editors) == (1, "ana", ["ana"])
    assert status(session, version) is StrategyStatus.DRAFT


def test_a_name_is_taken_once_in_a_market(session: Session) -> None:
    a_draft(session, name="Spring")

    with pytest.raises(Conflict) as refused:
        a_draft(session, name="Spring")

    assert refused.value.path == ("name",)


def test_every_fault_of_a_new_strategy_is_named(session: Session) -> None:
    broken = StrategyContent((Rule("default", factor=Decimal(0)),))

    with pytest.raises(Refusals) as refused:
        a_draft(session, broken, name=" ")

    assert [each.path for each in refused.value.refusals] == [
        ("name",),
        ("content", "rules", "0", "factor"),
    ]


def test_a_further_draft_gets_the_next_number(session: Session) -> None:
    first = a_draft(session)

    second = strategies.draft(session, first.strategy_id, house_rule(), by="cleo", now=NOON)

    assert (second.number, second.author) == (2, "cleo")
    newest_first = strategies.versions_of(session, [first.strategy_id])[first.strategy_id]
    assert [version.number for version in newest_first] == [2, 1]


def test_a_draft_of_no_strategy_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound):
        strategies.draft(session, 99, house_rule(), by="ana", now=NOON)


def test_an_edit_replaces_the_content_and_makes_an_author(session: Session) -> None:
    version = a_draft(session)
    before = version.content_hash

    strategies.edit(session, version.id, before, house_rule(), by="cleo", now=NOON)

    assert version.content_hash != before
    assert version.editors == ["ana", "cleo"]


def test_an_edit_of_what_somebody_else_has_edited_is_a_conflict(session: Session) -> None:
    version = a_draft(session)
    seen = version.content_hash
    strategies.edit(session, version.id, seen, house_rule(), by="cleo", now=NOON)

    with pytest.raises(Conflict):
        strategies.edit(session, version.id, seen, OTHER_CONTENT, by="ana", now=NOON)


def test_what_was_submitted_is_frozen(session: Session) -> None:
    version = a_submitted_version(session)

    with pytest.raises(InvalidState):
        strategies.edit(session, version.id, version.content_hash, house_rule(), by="ana", now=NOON)


def test_rules_that_cross_stop_submission(session: Session) -> None:
    crossing = StrategyContent(
        (
            Rule("peugeot", Conditions(brands=("Peugeot",))),
            Rule("petrol", Conditions(fuels=(Fuel.PETROL,))),
            Rule("default"),
        )
    )
    version = a_draft(session, crossing)

    with pytest.raises(Refusals) as refused:
        strategies.submit(session, version.id, by="ana", now=NOON)

    assert [each.code for each in refused.value.refusals] == ["NOT_SUBMITTABLE"]
    assert version.status is StoredStatus.DRAFT


def test_a_brand_that_the_catalogue_does_not_know_stops_submission(session: Session) -> None:
    factories.an_entry(session, brand="Peugeot")
    misspelt = StrategyContent((Rule("peugot", Conditions(brands=("Peugot",))), Rule("default")))
    version = a_draft(session, misspelt)

    with pytest.raises(Refusals, match=r"no brand Peugot\. Is Peugeot meant\?"):
        strategies.submit(session, version.id, by="ana", now=NOON)


def test_a_submitted_version_can_be_withdrawn(session: Session) -> None:
    version = a_submitted_version(session)

    strategies.withdraw(session, version.id, by="ana", now=NOON)

    assert status(session, version) is StrategyStatus.WITHDRAWN


@pytest.mark.parametrize("author", ["ana", "cleo"])
def test_whoever_edited_a_version_cannot_approve_it(session: Session, author: str) -> None:
    version = a_draft(session)
    strategies.edit(session, version.id, version.content_hash, house_rule(), by="cleo", now=NOON)
    strategies.submit(session, version.id, by="dan", now=NOON)

    with pytest.raises(FourEyes):
        strategies.approve(session, version.id, by=author, now=NOON)

    assert status(session, version) is StrategyStatus.SUBMITTED


def test_approval_needs_a_simulation_of_this_very_content(session: Session) -> None:
    version = a_draft(session)
    factories.a_succeeded_simulation(session, version, content_hash="of other content")
    factories.a_simulation(session, version)
    strategies.submit(session, version.id, by="ana", now=NOON)

    with pytest.raises(SimulationRequired):
        strategies.approve(session, version.id, by="bob", now=NOON)


def test_approval_binds_to_the_content(session: Session) -> None:
    version = a_submitted_version(session)

    strategies.approve(session, version.id, by="bob", now=NOON, comment="As agreed.")

    (review,) = strategies.reviews_of(session, [version.id])[version.id]
    assert (review.reviewer, review.verdict) == ("bob", Verdict.APPROVED)
    assert review.content_hash == version.content_hash
    seen = simulations.newest_succeeded(session, version)
    assert seen is not None
    assert review.simulation_id == seen.id
    assert status(session, version) is StrategyStatus.APPROVED


def test_a_rejection_says_why(session: Session) -> None:
    version = a_submitted_version(session)

    with pytest.raises(Refusals) as refused:
        strategies.reject(session, version.id, comment=" ", by="bob", now=NOON)
    strategies.reject(session, version.id, comment="Too low.", by="bob", now=NOON)

    assert refused.value.refusals[0].path == ("comment",)
    assert status(session, version) is StrategyStatus.REJECTED


@pytest.mark.parametrize("deed", ["submit", "withdraw", "approve", "reject"])
def test_a_verdict_ends_the_life_before_it(session: Session, deed: str) -> None:
    version = an_approved_version(session)
    deeds = {
        "submit": lambda: strategies.submit(session, version.id, by="ana", now=NOON),
        "withdraw": lambda: strategies.withdraw(session, version.id, by="ana", now=NOON),
        "approve": lambda: strategies.approve(session, version.id, by="cleo", now=NOON),
        "reject": lambda: strategies.reject(
            session, version.id, comment="No.", by="cleo", now=NOON
        ),
    }

    with pytest.raises(InvalidState):
        deeds[deed]()


def test_status_follows_from_ledger_and_clock(session: Session) -> None:
    first = an_approved_version(session, "First")
    second = an_approved_version(session, "Second")
    activations.activate(session, first.id, by="bob", now=NOON)
    activations.activate(session, second.id, by="bob", now=NOON, starts_at=NOON + DAY)
    ledger = activations.ledger_of(session, factories.a_market(session).id)

    seen = [
        (strategies.status(first, ledger, at=at), strategies.status(second, ledger, at=at))
        for at in (NOON, NOON + DAY)
    ]

    assert seen == [
        (StrategyStatus.ACTIVE, StrategyStatus.SCHEDULED),
        (StrategyStatus.RETIRED, StrategyStatus.ACTIVE),
    ]


def test_every_change_of_state_is_an_event(session: Session) -> None:
    version = a_draft(session)
    strategies.edit(session, version.id, version.content_hash, house_rule(), by="ana", now=NOON)
    factories.a_succeeded_simulation(session, version)
    strategies.submit(session, version.id, by="ana", now=NOON)
    strategies.approve(session, version.id, by="bob", now=NOON)
    activations.activate(session, version.id, by="bob", now=NOON)

    assert actions(session, version) == [
        "strategy.created",
        "strategy.edited",
        "strategy.submitted",
        "strategy.approved",
        "strategy.activated",
    ]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (StrategyFilter(), ["Draft", "Ready", "Live"]),
        (StrategyFilter(status=StrategyStatus.DRAFT), ["Draft"]),
        (StrategyFilter(status=StrategyStatus.APPROVED), ["Ready"]),
        (StrategyFilter(status=StrategyStatus.ACTIVE), ["Live"]),
        (StrategyFilter(status=StrategyStatus.RETIRED), []),
        (StrategyFilter(search="LIV"), ["Live"]),
        (StrategyFilter(search="%"), []),
        (StrategyFilter(market="FR"), ["Draft", "Ready", "Live"]),
    ],
)
def test_strategies_are_found_by_market_status_and_words(
    session: Session, wanted: StrategyFilter, names: list[str]
) -> None:
    live = an_approved_version(session, "Live")
    activations.activate(session, live.id, by="bob", now=NOON)
    an_approved_version(session, "Ready")
    a_draft(session, name="Draft")

    ordered = strategies.listed(session, wanted, now=NOON)

    page = pages.read_page(session, ordered, pages.window())
    assert [row.name for row in page.rows] == names


def test_content_that_was_tampered_with_is_not_activated(session: Session) -> None:
    version = an_approved_version(session)
    version.content = replace_factor(version.content, "2")
    session.flush()

    with pytest.raises(InvalidState, match="not what was approved"):
        activations.activate(session, version.id, by="bob", now=NOON)


def replace_factor(document: dict[str, object], factor: str) -> dict[str, object]:
    rules = document["rules"]
    assert isinstance(rules, list)
    return {**document, "rules": [{**rule, "factor": factor} for rule in rules]}


def test_the_defaulted_cells_are_those_of_the_vehicles_for_sale(session: Session) -> None:
    factories.a_vehicle(session, brand="Peugeot", fuel=Fuel.PETROL, price=Decimal(9000))
    factories.a_vehicle(session, brand="Dacia", fuel=Fuel.DIESEL, price=Decimal(5000))
    factories.an_order(session, factories.a_vehicle(session, brand="Dacia", fuel=Fuel.DIESEL))
    version = a_draft(session, house_rule())
    market = factories.a_market(session)

    found = strategies.analysis(session, version, market_id=market.id)

    (cell,) = found.defaulted
    assert (cell.brand, cell.fuel, cell.vehicles, cell.value) == ("Dacia", "DIESEL", 1, 5000)


def test_of_a_verdict_and_a_withdrawal_at_once_one_wins(database: Database) -> None:
    with database.unit_of_work() as session:
        version_id = a_submitted_version(session).id
    ready = threading.Barrier(2)
    refused: list[str] = []

    def attempt(deed: Callable[[Session], object]) -> None:
        ready.wait()
        try:
            with database.unit_of_work() as session:
                deed(session)
        except Refusal as refusal:
            refused.append(refusal.code)

    def approve(session: Session) -> None:
        strategies.approve(session, version_id, by="bob", now=NOON)

    def withdraw(session: Session) -> None:
        strategies.withdraw(session, version_id, by="ana", now=NOON)

    threads = [threading.Thread(target=attempt, args=(deed,)) for deed in (approve, withdraw)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert refused == ["INVALID_STATE"]
    with database.reading() as session:
        version = strategies.get_version(session, version_id)
        reviewed = bool(strategies.reviews_of(session, [version_id])[version_id])
        assert reviewed == (version.status is StoredStatus.APPROVED)


def test_two_drafts_at_once_get_two_numbers(database: Database) -> None:
    with database.unit_of_work() as session:
        strategy_id = a_draft(session).strategy_id
    ready = threading.Barrier(3)

    def attempt() -> None:
        ready.wait()
        with database.unit_of_work() as session:
            strategies.draft(session, strategy_id, house_rule(), by="ana", now=NOON)

    threads = [threading.Thread(target=attempt) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with database.reading() as session:
        versions = strategies.versions_of(session, [strategy_id])[strategy_id]
        assert [version.number for version in versions] == [4, 3, 2, 1]
