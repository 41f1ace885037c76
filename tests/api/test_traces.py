"""Traces, as a collector gets them from real processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from api.settings import traces_are_wanted
from tests.api import plain_http
from tests.api.collector import Collector, Span, a_collector
from tests.api.running import ROOT, key_of, serving
from tests.api.shop import CAR, CREATE_QUOTES

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SERVER_KIND = 2
QUOTE = CREATE_QUOTES.replace("mutation (", "mutation Quote(", 1)
TRAIN = """
mutation Train { train(input: {market: "FR", algorithm: "linear_regression"}) {
  run { id } userErrors { message } } }
"""


@pytest.mark.slow
def test_a_request_is_one_trace_from_the_caller_to_the_model(folder_on_sqlite: Path) -> None:
    with a_collector() as collector:
        settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address}
        with serving(folder_on_sqlite, "--no-worker", **settings) as server:
            answer = plain_http.post(
                f"{server.address}/graphql",
                json={
                    "query": QUOTE,
                    "variables": {"input": {"market": "FR", "vehicles": [CAR, CAR]}},
                },
                headers={
                    "Authorization": key_of(folder_on_sqlite),
                    "traceparent": f"00-{TRACE}-{PARENT}-01",
                    "X-Request-Id": "order-66",
                },
            )
            said = server.says("graphql.operation")
            server.stop()

    assert answer.json()["data"]["createQuotes"]["userErrors"] == []
    request = one(collector, "POST /graphql", trace=TRACE)
    assert (request.parent_id, request.kind, request.service) == (PARENT, SERVER_KIND, "forecourt")
    assert request.facts["http.response.status_code"] == 200
    operation = one(collector, "mutation Quote", trace=TRACE)
    assert operation.parent_id == request.span_id
    priced, stored = (
        one(collector, f"domain.quotes.requests.{name}", trace=TRACE)
        for name in ("prepare_once", "store_once")
    )
    assert {priced.parent_id, stored.parent_id} == {operation.span_id}
    assert stored.facts["forecourt.database.statements"] > 0
    (model,) = [span for span in collector.below(priced) if span.name == "price model"]
    assert model.facts == {"algorithm": "linear_regression", "vehicles": 2}
    assert (said["trace_id"], said["request_id"]) == (TRACE, "order-66")


def one(collector: Collector, name: str, *, trace: str) -> Span:
    found = [span for span in collector.spans if (span.name, span.trace_id) == (name, trace)]
    assert len(found) == 1, [span.name for span in collector.spans if span.trace_id == trace]
    return found[0]


@pytest.mark.slow
def test_a_job_is_a_trace_of_its_own(folder_on_sqlite: Path) -> None:
    with a_collector() as collector:
        settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address}
        with serving(folder_on_sqlite, OTEL_SERVICE_NAME="prices", **settings) as server:
            answer = plain_http.post(
                f"{server.address}/graphql",
                json={"query": TRAIN},
                headers={"Authorization": key_of(folder_on_sqlite, "DATA_SCIENCE")},
            )
            assert answer.json()["data"]["train"]["userErrors"] == []
            server.says("job.left")
            server.stop()

    job = collector.named("job TRAINING")
    assert job.service == "prices"
    assert job.facts["attempt"] == 1


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        pytest.param({}, False, id="nothing set"),
        pytest.param({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, True, id="a collector"),
        pytest.param({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c"}, True, id="for traces"),
        pytest.param(
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_SDK_DISABLED": "true"},
            False,
            id="disabled",
        ),
        pytest.param(
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_TRACES_EXPORTER": "none"},
            False,
            id="no traces",
        ),
    ],
)
def test_the_standard_variables_say_whether_to_trace(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], wanted: bool
) -> None:
    for name in ("ENDPOINT", "TRACES_ENDPOINT"):
        monkeypatch.delenv(f"OTEL_EXPORTER_OTLP_{name}", raising=False)
    for name, text in variables.items():
        monkeypatch.setenv(name, text)

    assert traces_are_wanted() is wanted


def test_a_server_works_without_opentelemetry_installed() -> None:
    program = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "import api.app; from api.telemetry import traces; from domain.spans import ids, span\n"
        "with traces.sent(), traces.request('GET /', {}), span('work'): print(dict(ids()))"
    )

    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert run.stdout.strip() == "{}"
