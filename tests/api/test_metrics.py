"""What /metrics tells, and to whom."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import yaml
from sqlmodel import select

from api.door import Outcome
from api.lately import Lately
from api.telemetry.measures import MAX_NAMES, Measures
from domain import tables
from domain.database import current_time
from domain.tables import JobKind, JobStatus, Role
from tests.api import plain_http
from tests.api.running import READY_WITHIN_S, ROOT, TOKEN, Running, figures_in, key_of, serving
from tests.api.shop import CAR, Shop, open_shop, settle
from tests.factories import a_job, an_order

pytestmark = pytest.mark.usefixtures("no_shared_metrics")


@pytest.fixture
def no_shared_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)


def figures(shop: Shop) -> dict[str, float]:
    answer = shop.client.get(
        "/metrics", headers={"Authorization": f"Bearer {shop.keys[Role.ADMIN]}"}
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return figures_in(answer.text)


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        pytest.param(None, 401, id="nobody"),
        pytest.param("Bearer fc_000000000000_0", 401, id="a wrong key"),
        pytest.param("SALES", 403, id="a key without the role"),
        pytest.param("ADMIN", 200, id="an administrator"),
        pytest.param(f"Bearer {TOKEN}", 200, id="the token"),
        pytest.param(f"Bearer {TOKEN}x", 401, id="a wrong token"),
        pytest.param("Bearer ", 401, id="an empty token"),
        pytest.param("Bearer été".encode("latin-1"), 401, id="a token that is no ASCII"),
    ],
)
def test_metrics_are_for_operators(
    folder_on_sqlite: Path, authorization: str | bytes | None, status: int
) -> None:
    settle(folder_on_sqlite, metrics_token=TOKEN)
    if authorization in ("SALES", "ADMIN"):
        authorization = key_of(folder_on_sqlite, str(authorization))
    headers = {} if authorization is None else {b"authorization": authorization}

    with open_shop(folder_on_sqlite) as shop:
        answer = shop.client.get("/metrics", headers=headers)  # type: ignore[arg-type]

    assert answer.status_code == status


def test_the_token_opens_nothing_but_metrics(folder_on_sqlite: Path) -> None:
    settle(folder_on_sqlite, metrics_token=TOKEN)

    with open_shop(folder_on_sqlite) as shop:
        answer = shop.client.post(
            "/graphql",
            json={"query": "{ viewer { name } }"},
            headers={"Authorization": f"Bearer {TOKEN}"},
        )

    assert answer.status_code == 401


def test_operations_are_counted_by_name_with_their_points_and_errors(shop: Shop) -> None:
    shop.ask("query Who { viewer { name } }")
    shop.ask("query Who { viewer { name } }")
    shop.ask('query Lost { market(code: "XX") { code } }')
    shop.ask("{ nowhere }")

    told = figures(shop)

    assert told['forecourt_operations_total{operation="Who",type="query"}'] == 2
    assert told['forecourt_operation_points_total{operation="Who"}'] == 2
    seconds = 'forecourt_operation_duration_seconds_bucket{le="+Inf",operation="Who",type="query"}'
    assert told[seconds] == 2
    assert told['forecourt_operations_refused_total{code="GRAPHQL_VALIDATION_FAILED"}'] == 1
    assert told['forecourt_http_requests_total{method="POST",path="/graphql",status="200"}'] == 4


def test_points_that_a_caller_did_not_have_are_counted(folder_on_sqlite: Path) -> None:
    settle(folder_on_sqlite, points_per_minute="100")
    document = "{ quotes(first: 40) { edges { node { id } } } }"

    with open_shop(folder_on_sqlite) as shop:
        shop.ask(document)
        shop.ask(document, status=429)
        told = figures(shop)

    assert told['forecourt_operations_refused_total{code="RATE_LIMITED"}'] == 1
    assert told["forecourt_points_refused_total"] > 40


def test_paths_and_names_that_a_stranger_makes_up_are_counted_together(shop: Shop) -> None:
    measures = Measures()
    for path in ("/.env", "/wp-admin"):
        shop.client.get(path)

    names = {measures.name(f"Name{number}") for number in range(2 * MAX_NAMES)}

    assert len(names) == MAX_NAMES + 1
    assert measures.name("x" * 1000) == "other"
    told = figures(shop)
    assert told['forecourt_http_requests_total{method="GET",path="other",status="404"}'] == 2
    assert not any("wp-admin" in name for name in told)


def test_a_subscription_counts_each_event() -> None:
    measures = Measures()
    event = Outcome("Prices", "subscription", 3, 0.01, ("INTERNAL",))

    measures.ran(event)
    measures.ran(event)

    labels = {"operation": "Prices", "code": "INTERNAL"}
    assert measures.registry.get_sample_value("forecourt_operation_errors_total", labels) == 2


def test_the_queue_is_told_by_kind_state_and_age(shop: Shop) -> None:
    with shop.database() as database, database.unit_of_work() as session:
        ago = current_time(session) - timedelta(minutes=5)
        a_job(session, kind=JobKind.TRAINING, created_at=ago)
        a_job(
            session,
            kind=JobKind.REPRICING,
            status=JobStatus.RUNNING,
            created_at=ago,
            started_at=ago + timedelta(minutes=2),
        )

    told = figures(shop)

    waiting, running = '{kind="TRAINING",status="QUEUED"}', '{kind="REPRICING",status="RUNNING"}'
    assert (told[f"forecourt_jobs{waiting}"], told[f"forecourt_jobs{running}"]) == (1, 1)
    assert told[f"forecourt_job_oldest_seconds{waiting}"] == pytest.approx(300, abs=30)
    assert told[f"forecourt_job_oldest_seconds{running}"] == pytest.approx(180, abs=30)


def test_a_market_tells_its_revision_and_how_its_model_does(shop: Shop) -> None:
    shop.quote(*[CAR] * 100)
    deadline = time.monotonic() + 30
    while "forecourt_snapshot_age_seconds" not in " ".join(told := figures(shop)):
        assert time.monotonic() < deadline, "the process is never looked at"

    market = '{market="FR"}'
    assert (
        told[f"forecourt_snapshot_revision{market}"] == told[f"forecourt_market_revision{market}"]
    )
    assert told[f"forecourt_market_has_champion{market}"] == 1
    assert told[f"forecourt_market_has_strategy{market}"] == 1
    assert told[f"forecourt_model_promised_coverage{market}"] == 0.9
    assert told['forecourt_model_drift_psi{feature="model",market="FR"}'] > 0.2
    assert told["forecourt_database_up"] == 1
    assert told["process_resident_memory_bytes"] > 1e7


def test_every_figure_that_is_explained_or_alerted_on_is_told(shop: Shop) -> None:
    shop.quote(*[CAR] * 100)
    shop.ask("query Spy { auditEvents(first: 1) { totalCount } }")
    shop.ask("{ nowhere }")
    with shop.database() as database, database.unit_of_work() as session:
        a_job(session, created_at=current_time(session))
        vehicle = session.exec(select(tables.Vehicle)).first()
        an_order(session, vehicle, ordered_on=current_time(session).date())
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    rules = yaml.safe_load((ROOT / "deploy/alerts.yaml").read_text(encoding="utf-8"))
    named = re.findall(r"`((?:forecourt|process)_[a-z_]+[a-z])`", page.partition("## Metrics")[2])
    for rule in rules["groups"][0]["rules"]:
        named += re.findall(r"\b(?:forecourt|process)_[a-z_]+", rule["expr"])

    deadline = time.monotonic() + 30
    while missing := {name for name in named if not is_told(name, told := figures(shop))}:
        assert time.monotonic() < deadline, missing
        time.sleep(0.5)

    assert len(set(named)) > 25
    known = {name.partition("{")[0] for name in told}
    ours = {name for name in known if name.startswith("forecourt_")}
    assert {name for name in ours if not is_explained(name, page)} == set()


def is_told(name: str, told: dict[str, float]) -> bool:
    return any(each.startswith((name + "{", name + "_bucket")) or each == name for each in told)


def is_explained(name: str, page: str) -> bool:
    """Instants are told beside the ages that the page explains, histograms in parts."""
    if name.endswith("_timestamp_seconds"):
        return True
    return f"`{re.sub('_(bucket|sum|count)$', '', name)}`" in page


@contextmanager
def never_answered() -> Iterator[threading.Event]:
    answered = threading.Event()
    yield answered
    answered.set()


def test_a_database_that_hangs_holds_up_no_figures() -> None:
    asked = []
    with never_answered() as answered:
        lately = Lately(lambda: asked.append(1) or answered.wait(30), every_s=0)

        values = [lately.value(within_s=0.05) for _ in range(3)]

    assert values == [(None, False)] * 3
    assert len(asked) == 1


def test_what_was_read_last_is_told_while_the_database_is_away() -> None:
    answers = iter(["the last"])
    lately = Lately(lambda: next(answers), every_s=0)

    first, then = lately.value(within_s=5), lately.value(within_s=5)

    assert (first, then) == (("the last", True), ("the last", False))


@pytest.mark.slow
def test_two_processes_are_told_as_one_also_after_one_of_them_was_killed(
    folder_on_sqlite: Path,
) -> None:
    ask = {
        "json": {"query": "query Who { viewer { name } }"},
        "headers": {"Authorization": key_of(folder_on_sqlite), "Connection": "close"},
    }
    counted = 'forecourt_operations_total{operation="Who",type="query"}'

    with serving(folder_on_sqlite, "--workers", "2", "--no-worker") as server:
        for _ in range(40):
            assert (
                plain_http.post(f"{server.address}/graphql", **ask, timeout=30).status_code == 200
            )
        before = server.figures()
        pids = [
            int(name.partition('pid="')[2].rstrip('"}'))
            for name in before
            if name.startswith("process_resident_memory_bytes")
        ]
        os.kill(pids[0], signal.SIGKILL)
        deadline = time.monotonic() + READY_WITHIN_S
        while not has_two_without(after := eventual_figures(server), pids[0]):
            assert time.monotonic() < deadline, after

    assert len(pids) == 2
    assert before[counted] == 40
    assert after[counted] == 40
    assert before["forecourt_serving_processes"] == 2


def eventual_figures(server: Running) -> dict[str, float]:
    """The figures, where the process that is asked is not the one that has just died."""
    time.sleep(0.5)
    try:
        return server.figures()
    except httpx.TransportError:
        return {}


def has_two_without(told: dict[str, float], dead: int) -> bool:
    is_gone = f'process_resident_memory_bytes{{pid="{dead}"}}' not in told
    return is_gone and told.get("forecourt_serving_processes") == 2
