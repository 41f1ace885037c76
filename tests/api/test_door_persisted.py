"""Documents that their hash stands for: sent once by a client, or registered by an operator."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.door import Limits, Persisted
from tests.api.garage import KEY, a_client

HELLO = "{ hello }"
BROKEN = "{ nothing }"


def hash_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def naming(hash: object, *, version: object = 1) -> dict[str, Any]:
    return {"extensions": {"persistedQuery": {"version": version, "sha256Hash": hash}}}


def answer(client: TestClient, body: Mapping[str, Any]) -> Any:
    return client.post("/graphql", json=body).json()


def code(client: TestClient, body: Mapping[str, Any]) -> str:
    return str(answer(client, body)["errors"][0]["extensions"]["code"])


def trusting(*texts: str, only: bool = True) -> Persisted:
    registry = {hash_of(text): text for text in texts}

    async def registered(hash: str) -> str | None:
        return registry.get(hash)

    return Persisted(registered, only_registered=only, characters=10_000)


def test_a_document_that_was_sent_with_its_hash_is_known_by_the_hash_alone() -> None:
    client = a_client()
    unknown = client.post("/graphql", json=naming(hash_of(HELLO)))

    sent = answer(client, {"query": HELLO} | naming(hash_of(HELLO)))
    named = answer(client, naming(hash_of(HELLO)))

    assert (unknown.status_code, unknown.json()["errors"]) == (
        200,
        [
            {
                "message": "PersistedQueryNotFound",
                "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"},
            }
        ],
    )
    assert sent["data"] == named["data"] == {"hello": "hello ana"}


def test_a_hash_works_in_a_url() -> None:
    client = a_client()
    answer(client, {"query": HELLO} | naming(hash_of(HELLO)))

    named = client.get(
        "/graphql", params={"extensions": json.dumps(naming(hash_of(HELLO))["extensions"])}
    )

    assert named.json()["data"] == {"hello": "hello ana"}


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        # Nobody can make a hash stand for another text than its own.
        ({"query": HELLO} | naming(hash_of(BROKEN)), "PERSISTED_QUERY_HASH_MISMATCH"),
        (naming(hash_of(HELLO), version=2), "PERSISTED_QUERY_NOT_SUPPORTED"),
        (naming(hash_of(HELLO).upper()), "BAD_REQUEST"),
        (naming("../etc/passwd"), "BAD_REQUEST"),
        (naming(None), "BAD_REQUEST"),
        ({"extensions": {"persistedQuery": []}}, "PERSISTED_QUERY_NOT_SUPPORTED"),
        ({"extensions": {"persistedQuery": None}}, "BAD_REQUEST"),
        ({"extensions": {}}, "BAD_REQUEST"),
    ],
)
def test_what_is_no_persisted_query_is_refused(body: dict[str, Any], refusal: str) -> None:
    assert code(a_client(), body) == refusal


def test_a_document_at_fault_is_not_kept() -> None:
    client = a_client()

    assert code(client, {"query": BROKEN} | naming(hash_of(BROKEN))) == "GRAPHQL_VALIDATION_FAILED"
    assert code(client, naming(hash_of(BROKEN))) == "PERSISTED_QUERY_NOT_FOUND"


def test_documents_are_kept_within_their_share_of_memory() -> None:
    client = a_client(Limits(cached_characters=500))
    texts = [f"query Name{number} {{ hello }}" for number in range(100)]

    for text in texts:
        answer(client, {"query": text} | naming(hash_of(text)))

    assert code(client, naming(hash_of(texts[0]))) == "PERSISTED_QUERY_NOT_FOUND"
    assert answer(client, naming(hash_of(texts[-1])))["data"] == {"hello": "hello ana"}


def test_a_registered_document_is_known_without_being_sent() -> None:
    client = a_client(persisted=trusting(HELLO, only=False))

    assert answer(client, naming(hash_of(HELLO)))["data"] == {"hello": "hello ana"}
    assert answer(client, {"query": "{ other: hello }"})["data"] == {"other": "hello ana"}


@pytest.mark.parametrize("body", [naming(hash_of(HELLO)), {"query": HELLO}])
def test_a_server_of_trusted_documents_answers_them(body: dict[str, Any]) -> None:
    client = a_client(persisted=trusting(HELLO))

    assert answer(client, body)["data"] == {"hello": "hello ana"}


@pytest.mark.parametrize(
    "body",
    [
        {"query": "{hello}"},
        {"query": "{hello}"} | naming(hash_of("{hello}")),
        naming(hash_of("{hello}")),
        # What is not registered is not even parsed.
        {"query": "{"},
    ],
)
def test_a_server_of_trusted_documents_answers_no_others(body: dict[str, Any]) -> None:
    client = a_client(persisted=trusting(HELLO))

    response = client.post("/graphql", json=body)

    assert response.status_code == 403
    assert response.json()["errors"][0]["extensions"] == {"code": "DOCUMENT_NOT_TRUSTED"}


def test_a_document_that_was_taken_back_is_answered_no_more() -> None:
    registry = {hash_of(HELLO): HELLO}

    async def registered(hash: str) -> str | None:
        return registry.get(hash)

    client = a_client(persisted=Persisted(registered, only_registered=True, characters=10_000))
    sent = answer(client, {"query": HELLO} | naming(hash_of(HELLO)))
    registry.clear()

    assert sent["data"] == {"hello": "hello ana"}
    assert code(client, naming(hash_of(HELLO))) == "DOCUMENT_NOT_TRUSTED"
    assert code(client, {"query": HELLO}) == "DOCUMENT_NOT_TRUSTED"


def test_documents_are_trusted_or_not_over_websocket_as_well() -> None:
    client = a_client(persisted=trusting(HELLO))

    with client.websocket_connect("/graphql", subprotocols=["graphql-transport-ws"]) as socket:
        socket.send_json({"type": "connection_init", "payload": {"authorization": f"Bearer {KEY}"}})
        assert socket.receive_json()["type"] == "connection_ack"
        socket.send_json({"type": "subscribe", "id": "1", "payload": {"query": "{hello}"}})
        refused = socket.receive_json()
        socket.send_json({"type": "subscribe", "id": "2", "payload": naming(hash_of(HELLO))})
        answered = socket.receive_json()

    assert refused["payload"][0]["extensions"]["code"] == "DOCUMENT_NOT_TRUSTED"
    assert answered["payload"]["data"] == {"hello": "hello ana"}
