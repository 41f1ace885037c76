import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from domain import activations, tables
from domain.activations import activate, arm, in_force, roll_back
from domain.database import Database
from domain.errors import Conflict, InvalidState, NoActiveStrategy, NotFound, Refusal, Refusals
from domain.pricing.content import StrategyContent
from domain.pricing.documents import content_hash, to_document
from domain.pricing.house import house_rule
from tests import factories
from tests.conftest import NOON

HOUR = timedelta(hours=1)


def approved(session: Session, content: StrategyContent | None = None) -> tables.StrategyVersion:
    content = content or house_rule()
    return factories.a_strategy_version(
        session, content=to_document(content), content_hash=content_hash(content)
    )


def active(session: Session, at: datetime) -> int | None:
    market = factories.a_market(session)
    row = in_force(session, market.id, at).active
    return row.version_id if row else None


def go(session: Session, version: tables.StrategyVersion, **how: Any) -> tables.Activation:
    return activate(session, version.id, **{"by": "bob", "now": NOON} | how)


def back(session: Session, **how: Any) -> tables.Activation:
    market = factories.a_market(session)
    return roll_back(
        session, market.id, **{"by": "bob", "now": NOON, "reason": "Sales stopped."} | how
    )


def test_a_version_prices_from_its_start_until_the_next_one(session: Session) -> None:
    first, second = approved(session), approved(session)

    go(session, first)
    go(session, second, starts_at=NOON + HOUR)

    instants = (NOON - HOUR, NOON, NOON + HOUR - timedelta(seconds=1), NOON + HOUR)
    assert [active(session, at) for at in instants] == [None, first.id, first.id, second.id]


def test_each_activation_tells_the_processes(session: Session) -> None:
    market = factories.a_market(session)
    before = market.revision

    go(session, approved(session))

    assert market.revision == before + 1


def test_a_version_from_nowhere_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound):
        activate(session, 99, by="bob", now=NOON)


@pytest.mark.parametrize("status", ["DRAFT", "SUBMITTED", "REJECTED", "WITHDRAWN"])
def test_only_an_approved_version_is_activated(session: Session, status: str) -> None:
    version = approved(session)
    version.status = tables.StoredStatus(status)
    session.flush()

    with pytest.raises(InvalidState, match="only an approved one"):
        go(session, version)


@pytest.mark.parametrize(
    ("how", "paths"),
    [
        ({"starts_at": NOON - timedelta(seconds=1)}, ["startsAt"]),
        ({"ends_at": NOON}, ["endsAt"]),
        ({"starts_at": NOON + HOUR, "ends_at": NOON + HOUR}, ["endsAt"]),
        ({"share": 0.0}, ["share"]),
        ({"share": 1.5}, ["share"]),
        ({"share": float("nan")}, ["share"]),
        (
            {"starts_at": NOON - HOUR, "share": -1.0, "reason": "x" * 1001},
            ["startsAt", "share", "reason"],
        ),
    ],
)
def test_every_fault_of_an_activation_is_named(
    session: Session, how: dict[str, Any], paths: list[str]
) -> None:
    version = approved(session)

    with pytest.raises(Refusals) as refused:
        go(session, version, **how)

    assert [each.path for each in refused.value.refusals] == [(path,) for path in paths]


def test_a_challenger_runs_beside_the_active_version(session: Session) -> None:
    champion, challenger = approved(session), approved(session)
    go(session, champion)

    row = go(session, challenger, share=0.1)

    found = in_force(session, row.market_id, NOON)
    assert found.active is not None
    assert (found.active.version_id, found.challenger) == (champion.id, row)


def test_a_challenger_needs_a_version_to_run_beside(session: Session) -> None:
    with pytest.raises(InvalidState, match="beside which"):
        go(session, approved(session), share=0.1)


def test_a_market_has_one_challenger_at_a_time(session: Session) -> None:
    go(session, approved(session))
    go(session, approved(session), share=0.1, starts_at=NOON + HOUR, ends_at=NOON + 2 * HOUR)

    with pytest.raises(InvalidState, match="one at a time"):
        go(session, approved(session), share=0.2)
    # Side by side in time is not at a time.
    go(session, approved(session), share=0.2, ends_at=NOON + HOUR)
    go(session, approved(session), share=0.2, starts_at=NOON + 2 * HOUR)


def test_a_challenger_that_a_full_activation_will_end_leaves_room_after_it(
    session: Session,
) -> None:
    go(session, approved(session))
    go(session, approved(session), starts_at=NOON + HOUR)
    go(session, approved(session), share=0.1, starts_at=NOON + 2 * HOUR)

    go(session, approved(session), share=0.1)


def test_a_version_that_prices_anyway_is_not_activated_again(session: Session) -> None:
    version = approved(session)
    go(session, version)

    with pytest.raises(InvalidState, match="anyway"):
        go(session, version)


def test_activating_the_active_version_ends_its_challenger(session: Session) -> None:
    version = approved(session)
    go(session, version)
    go(session, approved(session), share=0.1)

    row = go(session, version)

    assert in_force(session, row.market_id, NOON).challenger is None


def test_rolling_back_returns_to_what_was_active_before(session: Session) -> None:
    first, second = approved(session), approved(session)
    go(session, first)
    go(session, second)

    row = back(session, now=NOON + HOUR)

    assert row.version_id == first.id
    assert row.reason == "Sales stopped."
    assert active(session, NOON + HOUR) == first.id


def test_rolling_back_restores_a_version_for_a_while_with_its_end(session: Session) -> None:
    usual, promotion, blunder = approved(session), approved(session), approved(session)
    go(session, usual)
    go(session, promotion, ends_at=NOON + 5 * HOUR)
    go(session, blunder, starts_at=NOON + HOUR)

    back(session, now=NOON + 2 * HOUR)

    assert active(session, NOON + 2 * HOUR) == promotion.id
    assert active(session, NOON + 5 * HOUR) == usual.id


def test_rolling_back_ends_a_promotion(session: Session) -> None:
    usual, promotion = approved(session), approved(session)
    go(session, usual)
    go(session, promotion, ends_at=NOON + 5 * HOUR)

    back(session, now=NOON + HOUR)

    assert active(session, NOON + HOUR) == usual.id


def test_rolling_back_ends_a_running_challenger(session: Session) -> None:
    go(session, approved(session))
    go(session, approved(session))
    go(session, approved(session), share=0.3)

    row = back(session)

    assert in_force(session, row.market_id, NOON).challenger is None


def test_there_is_no_way_back_before_the_first_activation(session: Session) -> None:
    with pytest.raises(NoActiveStrategy):
        back(session)
    go(session, approved(session))

    with pytest.raises(InvalidState, match="nothing to go back to"):
        back(session)


def test_rolling_back_needs_a_reason(session: Session) -> None:
    with pytest.raises(Refusals) as refused:
        back(session, reason="  ")

    assert refused.value.refusals[0].path == ("reason",)


def test_of_two_who_roll_back_the_same_version_one_is_told_of_the_other(
    session: Session,
) -> None:
    first, second = approved(session), approved(session)
    go(session, first)
    go(session, second)
    back(session, expected_version_id=second.id)

    with pytest.raises(Conflict):
        back(session, expected_version_id=second.id)

    assert active(session, NOON) == first.id


def test_an_activation_that_waited_for_another_does_not_go_back_in_time(
    session: Session,
) -> None:
    first, second = approved(session), approved(session)
    go(session, first, now=NOON + timedelta(seconds=1))

    row = go(session, second, now=NOON)

    assert row.starts_at == NOON + timedelta(seconds=1)
    assert active(session, row.starts_at) == second.id


def test_of_many_who_activate_one_version_at_once_one_wins(database: Database) -> None:
    with database.unit_of_work() as session:
        version_id = approved(session).id
    ready = threading.Barrier(4)
    outcomes: list[Refusal | None] = []

    def attempt() -> None:
        ready.wait()
        try:
            with database.unit_of_work() as session:
                activate(session, version_id, by="bob", now=NOON)
        except Refusal as refusal:
            outcomes.append(refusal)
        else:
            outcomes.append(None)

    threads = [threading.Thread(target=attempt) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outcomes.count(None) == 1
    assert {each.code for each in outcomes if each} == {"INVALID_STATE"}
    with database.reading() as session:
        assert len(session.exec(select(tables.Activation)).all()) == 1
        market = session.exec(select(tables.Market)).one()
        assert market.revision == 1


def test_the_next_change_is_known_in_advance(session: Session) -> None:
    row = go(session, approved(session), starts_at=NOON + HOUR, ends_at=NOON + 2 * HOUR)
    ledger = activations.ledger_of(session, row.market_id)

    assert ledger.next_change_after(NOON) == NOON + HOUR
    assert ledger.next_change_after(NOON + HOUR) == NOON + 2 * HOUR
    assert ledger.next_change_after(NOON + 2 * HOUR) is None


def test_a_vehicle_always_gets_the_same_arm() -> None:
    keys = [f"V{number}" for number in range(2_000)]

    chosen = {key for key in keys if arm(7, key, 0.25)}

    assert chosen == {key for key in keys if arm(7, key, 0.25)}
    # Binomial: 500 expected, a standard deviation of 19.4; five of them either side.
    assert 403 <= len(chosen) <= 597


def test_a_larger_share_keeps_the_vehicles_of_a_smaller_one() -> None:
    keys = [f"V{number}" for number in range(500)]

    assert {key for key in keys if arm(7, key, 0.1)} <= {key for key in keys if arm(7, key, 0.3)}
    assert all(arm(7, key, 1.0) for key in keys)


def test_another_experiment_draws_anew() -> None:
    keys = [f"V{number}" for number in range(500)]

    assert {key for key in keys if arm(7, key, 0.5)} != {key for key in keys if arm(8, key, 0.5)}
