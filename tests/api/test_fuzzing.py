"""Operations that nobody wrote, asked of the real application with a key of each role."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from graphql.execution import Executor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import from_schema, nodes, queries
from starlette.testclient import TestClient

from api.app import create_app
from api.door import engine
from api.schema import schema
from domain.tables import Role
from tests.api.shop import Shop, settings_of

_TEXT = st.one_of(
    st.sampled_from(["FR", "2026-03-02", "2026-03-02T12:00:00Z", "1.25", "-1", "1e400", "NaN", ""]),
    st.text(max_size=20),
)
SCALARS = {
    "Date": st.one_of(st.dates().map(str), _TEXT).map(nodes.String),
    "DateTime": st.one_of(st.datetimes().map(lambda at: f"{at.isoformat()}Z"), _TEXT).map(
        nodes.String
    ),
    "Decimal": st.one_of(st.decimals(allow_nan=False).map(str), _TEXT).map(nodes.String),
    "JSON": st.one_of(_TEXT.map(nodes.String), st.integers().map(nodes.Int), st.just(nodes.Null)),
}
OPERATIONS = from_schema(schema.as_str(), custom_scalars=SCALARS)
QUERIES = queries(schema.as_str(), custom_scalars=SCALARS)
UNHURRIED = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))


@pytest.fixture
def patient(shop: Shop) -> Iterator[Shop]:
    """The market of the shop, served to callers who may spend as much as they like."""
    chosen = settings_of(shop.folder).model_copy(update={"points_per_minute": 10**9})
    with TestClient(create_app(chosen)) as client:
        yield Shop(client, shop.folder)


def faults(answer: Any) -> list[Any]:
    """What is wrong with an answer: a fault of the server, or an error without a code."""
    codes = [each.get("extensions", {}).get("code") for each in answer.json().get("errors", [])]
    is_wrong = answer.status_code >= 500 or None in codes or "INTERNAL" in codes
    return [answer.status_code, answer.text] if is_wrong else []


@pytest.mark.slow
@pytest.mark.parametrize("role", list(Role))
def test_whatever_is_asked_the_answer_is_no_fault_and_has_codes(patient: Shop, role: Role) -> None:
    key = patient.keys[role.value]

    @settings(UNHURRIED, max_examples=40)
    @given(document=OPERATIONS)
    def ask(document: str) -> None:
        answer = patient.client.post(
            "/graphql", json={"query": document}, headers={"Authorization": f"Bearer {key}"}
        )

        assert faults(answer) == []

    ask()


@pytest.mark.slow
def test_whatever_is_asked_the_answer_is_that_of_graphql_core(
    patient: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    @settings(UNHURRIED, max_examples=100)
    @given(document=QUERIES)
    def ask(document: str) -> None:
        ours, theirs = (answered(patient, document, by) for by in (engine.PlainFirst, Executor))
        assert ours == theirs

    def answered(shop: Shop, document: str, by: type[Executor[Any]]) -> Any:
        with monkeypatch.context() as patched:
            patched.setattr(engine, "PlainFirst", by)
            answer = shop.client.post(
                "/graphql",
                json={"query": document},
                headers={"Authorization": f"Bearer {shop.keys[Role.ADMIN.value]}"},
            ).json()
        if answer.get("data") is None:
            # Of several faults each of which leaves nothing, one is told that was met first.
            return None
        errors = answer.get("errors", [])
        return answer["data"], sorted(str((each["path"], each["message"])) for each in errors)

    ask()
