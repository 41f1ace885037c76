import pytest
from sqlmodel import Session, select

from domain import models, retention, tables
from domain.errors import Invalid, InvalidState, NotFound
from domain.models import Comparison
from tests.conftest import NOON
from tests.factories import (
    a_market,
    a_model_version,
    a_strategy_version,
    a_succeeded_simulation,
)


def promote(session: Session, version: tables.ModelVersion) -> None:
    champion = models.champion_ids(session, [version.market_id]).get(version.market_id)
    comparison = Comparison(champion, 0.08, None)
    models.promote(session, version.id, comparison=comparison, by="dee", now=NOON)


def champion_of(session: Session) -> int:
    market = a_market(session)
    return models.champion_ids(session, [market.id])[market.id]


def roll_back(session: Session, reason: str = "Prices of vans are off.") -> tables.ModelVersion:
    return models.roll_back(session, a_market(session).id, reason=reason, by="dee", now=NOON)


def test_a_roll_back_returns_to_the_champion_before_and_says_why(session: Session) -> None:
    first, second = a_model_version(session), a_model_version(session)
    promote(session, first)
    promote(session, second)
    revision = a_market(session).revision

    version = roll_back(session)

    assert version.id == first.id == champion_of(session)
    assert a_market(session).revision == revision + 1
    event = session.exec(select(tables.AuditEvent).order_by(tables.AuditEvent.id.desc())).first()
    assert event.action == "model.rolled_back"
    assert event.detail["replaces"] == second.id
    assert event.detail["reason"] == "Prices of vans are off."


def test_a_roll_back_of_a_roll_back_returns_to_where_it_began(session: Session) -> None:
    first, second = a_model_version(session), a_model_version(session)
    promote(session, first)
    promote(session, second)

    roll_back(session)
    roll_back(session)

    assert champion_of(session) == second.id


def test_nothing_is_rolled_back_to_where_there_was_no_champion_before(session: Session) -> None:
    promote(session, a_model_version(session))

    with pytest.raises(InvalidState, match="no champion before"):
        roll_back(session)


def test_a_roll_back_needs_a_reason(session: Session) -> None:
    with pytest.raises(Invalid, match="reason"):
        roll_back(session, reason=" ")


def test_promoting_the_champion_again_makes_every_process_look_again(session: Session) -> None:
    version = a_model_version(session)
    promote(session, version)
    revision = a_market(session).revision

    promote(session, version)

    assert a_market(session).revision == revision + 1
    assert len(session.exec(select(tables.Promotion)).all()) == 1


def test_a_version_is_found_by_its_number_in_its_market(session: Session) -> None:
    version = a_model_version(session, number=7)

    assert models.numbered(session, "FR", 7).id == version.id
    with pytest.raises(NotFound, match="no model 8 in market FR"):
        models.numbered(session, "FR", 8)


def prune(session: Session, keep: int) -> list[int]:
    market = a_market(session)
    return [
        each.number for each in retention.prune(session, market.id, keep=keep, by="dee", now=NOON)
    ]


def versions(session: Session, *numbers: int) -> list[tables.ModelVersion]:
    """Versions of these numbers, each with an artifact."""
    made = [a_model_version(session, number=number) for number in numbers]
    session.add_all(
        tables.ModelArtifact(
            model_id=each.id, format="x", size_bytes=1, sha256="", signature="", content=b"x"
        )
        for each in made
    )
    session.flush()
    return made


def test_old_versions_go_with_their_artifacts_and_leave_a_trace(session: Session) -> None:
    versions(session, 1, 2, 3, 4)

    removed = prune(session, keep=2)

    assert removed == [1, 2]
    assert len(session.exec(select(tables.ModelVersion)).all()) == 2
    assert len(session.exec(select(tables.ModelArtifact)).all()) == 2
    traces = session.exec(
        select(tables.AuditEvent).where(tables.AuditEvent.action == "model.removed")
    ).all()
    assert [each.detail["number"] for each in traces] == [1, 2]


def test_what_was_ever_champion_stays(session: Session) -> None:
    first, second, _ = versions(session, 1, 2, 3)
    promote(session, first)
    promote(session, second)

    assert prune(session, keep=0) == [3]


def test_what_a_simulation_was_priced_with_stays(session: Session) -> None:
    a_succeeded_simulation(session, a_strategy_version(session))
    used = session.exec(select(tables.SimulationResult)).one().model_id

    prune(session, keep=0)

    assert session.get(tables.ModelVersion, used) is not None


def test_the_versions_of_another_market_stay(session: Session) -> None:
    elsewhere = a_model_version(session, market=a_market(session, code="DE"))

    prune(session, keep=0)

    assert session.get(tables.ModelVersion, elsewhere.id) is not None


def test_to_keep_fewer_than_none_is_refused(session: Session) -> None:
    with pytest.raises(Invalid, match="keep is -1"):
        prune(session, keep=-1)
