"""Two people at once, in processes' own connections: one wins, and nothing is broken."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlmodel import Session, select

from domain import activations, audit, strategies, tables
from domain.database import Database
from domain.errors import Refusal, Refusals
from domain.pricing.content import Rule, StrategyContent
from domain.pricing.house import house_rule
from domain.tables import StoredStatus
from tests import factories
from tests.conftest import NOON

HOUR = timedelta(hours=1)
AT_MARKET = StrategyContent((Rule("default"),))
ROUNDS = 5
"""Of each race: a lock that is missing shows at once or soon."""

Deed = Callable[[Session], object]


def a_submitted_version(session: Session, name: str) -> tables.StrategyVersion:
    version = a_draft(session, name)
    return strategies.submit(session, version.id, by="ana", now=NOON)


def a_draft(session: Session, name: str) -> tables.StrategyVersion:
    strategy = strategies.create(
        session,
        market=factories.a_market(session),
        name=name,
        description=None,
        content=house_rule(),
        by="ana",
        now=NOON,
    )
    version = strategies.versions_of(session, [strategy.id])[strategy.id][0]
    factories.a_succeeded_simulation(session, version)
    return version


def an_approved_version(session: Session, name: str) -> tables.StrategyVersion:
    version = a_submitted_version(session, name)
    return strategies.approve(session, version.id, by="bob", now=NOON)


def race(database: Database, *deeds: Deed) -> list[str]:
    """Do all at once, each in a unit of work of its own; the codes of those that were refused."""
    ready = threading.Barrier(len(deeds))
    refused: list[str] = []
    broken: list[Exception] = []

    def attempt(deed: Deed) -> None:
        try:
            ready.wait()
            with database.unit_of_work() as session:
                deed(session)
        except Refusal as refusal:
            refused.append(refusal.code)
        except Refusals as refusals:
            refused.extend(each.code for each in refusals.refusals)
        except Exception as error:
            broken.append(error)

    threads = [threading.Thread(target=attempt, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert broken == []
    return refused


def events(session: Session, version_id: int, action: str) -> int:
    found = audit.of_subjects(session, "StrategyVersion", [version_id])[version_id]
    return sum(event.action == action for event in found)


def assert_chain_holds(database: Database) -> None:
    with database.reading() as session:
        assert isinstance(audit.verify(session), audit.Verified)


@pytest.mark.parametrize("turn", range(ROUNDS))
def test_of_two_approvals_one_is_written(database: Database, turn: int) -> None:
    with database.unit_of_work() as session:
        key = a_submitted_version(session, "Spring").id

    refused = race(
        database,
        lambda session: strategies.approve(session, key, by="bob", now=NOON),
        lambda session: strategies.approve(session, key, by="cleo", now=NOON),
    )

    assert refused == ["INVALID_STATE"]
    with database.reading() as session:
        assert len(strategies.reviews_of(session, [key])[key]) == 1
        assert events(session, key, "strategy.approved") == 1
    assert_chain_holds(database)


@pytest.mark.parametrize("turn", range(ROUNDS))
def test_an_approval_never_outlives_an_edit(database: Database, turn: int) -> None:
    with database.unit_of_work() as session:
        version = a_draft(session, "Spring")
        key, seen = version.id, version.content_hash

    def submit_and_approve(session: Session) -> None:
        strategies.submit(session, key, by="ana", now=NOON)
        strategies.approve(session, key, by="bob", now=NOON)

    refused = race(
        database,
        submit_and_approve,
        lambda session: strategies.edit(session, key, seen, AT_MARKET, by="cleo", now=NOON),
    )

    # Either the edit came too late, or what was approved before it was not simulated any more.
    assert refused in (["INVALID_STATE"], ["SIMULATION_REQUIRED"])
    with database.reading() as session:
        stored = strategies.get_version(session, key)
        reviews = strategies.reviews_of(session, [key])[key]
        assert [review.content_hash for review in reviews] == (
            [stored.content_hash] if stored.status is StoredStatus.APPROVED else []
        )
    assert_chain_holds(database)


@pytest.mark.parametrize("turn", range(ROUNDS))
def test_of_two_edits_of_the_same_content_one_is_a_conflict(database: Database, turn: int) -> None:
    with database.unit_of_work() as session:
        version = a_draft(session, "Spring")
        key, seen = version.id, version.content_hash
    other = StrategyContent((Rule("other"),))

    refused = race(
        database,
        lambda session: strategies.edit(session, key, seen, AT_MARKET, by="bob", now=NOON),
        lambda session: strategies.edit(session, key, seen, other, by="cleo", now=NOON),
    )

    assert refused == ["CONFLICT"]
    with database.reading() as session:
        assert len(strategies.get_version(session, key).editors) == 2
        assert events(session, key, "strategy.edited") == 1
    assert_chain_holds(database)


@pytest.mark.parametrize("turn", range(ROUNDS))
def test_of_two_activations_of_a_version_one_is_written(database: Database, turn: int) -> None:
    with database.unit_of_work() as session:
        key = an_approved_version(session, "Spring").id
        market_id = factories.a_market(session).id

    refused = race(
        database,
        lambda session: activations.activate(session, key, by="bob", now=NOON),
        lambda session: activations.activate(session, key, by="cleo", now=NOON),
    )

    assert refused == ["INVALID_STATE"]
    with database.reading() as session:
        ledger = activations.ledger_of(session, market_id)
        assert len(ledger.rows) == 1
        assert session.get_one(tables.Market, market_id).revision == 1
    assert_chain_holds(database)


@pytest.mark.parametrize("turn", range(ROUNDS))
def test_of_two_challengers_one_runs(database: Database, turn: int) -> None:
    with database.unit_of_work() as session:
        keys = [an_approved_version(session, name).id for name in ("A", "B", "C")]
        activations.activate(session, keys[0], by="bob", now=NOON)

    def challenge(key: int) -> Deed:
        return lambda session: activations.activate(
            session, key, by="bob", now=NOON + HOUR, share=0.2
        )

    refused = race(database, challenge(keys[1]), challenge(keys[2]))

    assert refused == ["INVALID_STATE"]
    assert_chain_holds(database)


@pytest.mark.parametrize("turn", range(ROUNDS))
def test_of_two_who_roll_back_the_same_version_one_does(database: Database, turn: int) -> None:
    with database.unit_of_work() as session:
        market_id = factories.a_market(session).id
        keys = [an_approved_version(session, name).id for name in ("A", "B", "C")]
        for hours, key in enumerate(keys):
            activations.activate(session, key, by="bob", now=NOON + hours * HOUR)

    def roll_back(session: Session) -> None:
        activations.roll_back(
            session,
            market_id,
            reason="Sales stopped.",
            by="bob",
            now=NOON + 5 * HOUR,
            expected_version_id=keys[2],
        )

    refused = race(database, roll_back, roll_back)

    assert refused == ["CONFLICT"]
    with database.reading() as session:
        active = activations.in_force(session, market_id, NOON + 6 * HOUR).active
        assert active is not None
        assert active.version_id == keys[1]
    assert_chain_holds(database)


def test_many_changes_at_once_leave_one_whole_chain(database: Database) -> None:
    with database.unit_of_work() as session:
        market_id = factories.a_market(session).id
        keys = [an_approved_version(session, f"Strategy {n}").id for n in range(8)]

    def activate(key: int) -> Deed:
        return lambda session: activations.activate(session, key, by="bob", now=NOON)

    refused = race(database, *(activate(key) for key in keys))

    assert refused == []
    with database.reading() as session:
        stretches = activations.timeline(session, market_id)
        rows = session.exec(select(tables.Activation)).all()
        assert (len(stretches), len(rows)) == (1, 8)
    assert_chain_holds(database)
