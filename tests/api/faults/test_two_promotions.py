"""Two people promote at once, at two servers: one order of events, the same for everybody."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlmodel import col, select

from api.relay import to_id
from domain import audit, models, tables
from domain.audit import Verified
from domain.database import Database
from tests.api import plain_http
from tests.api.faults.customers import until
from tests.api.running import Running, key_of, serving
from tests.api.shop import settings_of
from tests.api.versions import promoted, published_again
from tests.conftest import needs_postgres

pytestmark = [pytest.mark.slow, needs_postgres]

PROMOTE = """mutation ($input: PromoteModelInput!) {
  promoteModel(input: $input) { model { number } userErrors { code message } } }"""
CHAMPION = '{ market(code: "FR") { championModel { id } } }'
ROUNDS = 4


def promote(server: Running, folder: Path, model_id: int, at_once: Barrier) -> dict[str, Any]:
    wanted = {"model": to_id("ModelVersion", model_id), "force": True, "reason": "A race."}
    at_once.wait(timeout=30)
    answer = plain_http.post(
        f"{server.address}/graphql",
        json={"query": PROMOTE, "variables": {"input": wanted}},
        headers={"Authorization": key_of(folder, "DATA_SCIENCE")},
        timeout=60,
    )
    payload: dict[str, Any] = answer.json()["data"]["promoteModel"]
    return payload


def champion_at(server: Running, folder: Path) -> str:
    answer = plain_http.post(
        f"{server.address}/graphql",
        json={"query": CHAMPION},
        headers={"Authorization": key_of(folder)},
    )
    found: str = answer.json()["data"]["market"]["championModel"]["id"]
    return found


def test_promotions_at_once_come_one_after_the_other(folder_on_postgres: Path) -> None:
    folder = folder_on_postgres
    versions = [published_again(folder)]
    promoted(folder, versions[0])
    versions.append(published_again(folder))
    payloads: list[dict[str, Any]] = []
    with (
        serving(folder, "--no-worker") as one,
        serving(folder, "--no-worker") as other,
        ThreadPoolExecutor(2) as people,
    ):
        for _ in range(ROUNDS):
            at_once = Barrier(2)
            racing = [
                people.submit(promote, server, folder, version, at_once)
                for server, version in zip((one, other), versions, strict=True)
            ]
            payloads += [each.result() for each in racing]
        database = Database(settings_of(folder).resolved_database_url)
        with database.reading() as session:
            champion = to_id("ModelVersion", models.champion_ids(session, [1])[1])
        until(lambda: {champion_at(each, folder) for each in (one, other)} == {champion})

    done = sum(payload["userErrors"] == [] for payload in payloads)
    with database.reading() as session:
        ledger = session.exec(select(tables.Promotion).order_by(col(tables.Promotion.id))).all()
        traces = session.exec(
            select(tables.AuditEvent).where(
                tables.AuditEvent.action == "model.promoted", tables.AuditEvent.actor != "dee"
            )
        ).all()
        chain = audit.verify(session)
    database.close()
    assert {e["code"] for p in payloads for e in p["userErrors"]} <= {"CONFLICT", "INVALID_STATE"}
    assert done >= ROUNDS
    # Who promotes what is the champion already changes nothing, and is not in the ledger.
    assert 3 <= len(ledger) <= 2 + done
    assert len(traces) == len(ledger) - 1
    assert all(one.model_id != next_.model_id for one, next_ in pairwise(ledger))
    assert isinstance(chain, Verified)
