import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect
from structlog.testing import capture_logs

from api.door import Limits
from tests.api.garage import KEY, Keys, a_client, an_app

INIT = {"type": "connection_init", "payload": {"authorization": f"Bearer {KEY}"}}


@contextmanager
def a_socket(
    client: TestClient | None = None, *, init: bool = True, **headers: str
) -> Iterator[WebSocketTestSession]:
    with (client or a_client()).websocket_connect(
        "/graphql", subprotocols=["graphql-transport-ws"], headers=headers
    ) as socket:
        if init:
            socket.send_json(INIT)
            assert socket.receive_json() == {"type": "connection_ack"}
        yield socket


def subscribe(id: str, query: str, **fields: Any) -> dict[str, Any]:
    return {"type": "subscribe", "id": id, "payload": {"query": query, **fields}}


def closes_with(socket: WebSocketTestSession, message: Any) -> int:
    if isinstance(message, bytes):
        socket.send_bytes(message)
    else:
        socket.send_text(message if isinstance(message, str) else json.dumps(message))
    with pytest.raises(WebSocketDisconnect) as closed:
        while True:
            socket.receive_text()
    return closed.value.code


def test_a_subscription_sends_each_event_and_then_completes() -> None:
    with a_socket() as socket:
        socket.send_json(subscribe("1", "subscription { count(to: 2) }"))

        messages = [socket.receive_json() for _ in range(3)]

    assert [message["type"] for message in messages] == ["next", "next", "complete"]
    assert [message["payload"]["data"] for message in messages[:2]] == [{"count": 1}, {"count": 2}]


def test_queries_and_mutations_run_as_well() -> None:
    with a_socket() as socket:
        socket.send_json(subscribe("1", "query Q($w: [String!]) { echo(words: $w) hello }"))

        result, end = socket.receive_json(), socket.receive_json()

    assert result["payload"]["data"] == {"echo": None, "hello": "hello ana"}
    assert result["payload"]["extensions"]["cost"]["requested"] == 1
    assert end == {"type": "complete", "id": "1"}


def test_each_operation_has_a_context_of_its_own() -> None:
    with a_socket() as socket:
        numbers = []
        for name in ("1", "2"):
            socket.send_json(subscribe(name, "{ contextNumber }"))
            numbers.append(socket.receive_json()["payload"]["data"]["contextNumber"])
            socket.receive_json()

    assert len(set(numbers)) == 2


def test_operations_run_side_by_side_and_end_one_by_one() -> None:
    with a_socket() as socket:
        socket.send_json(subscribe("endless", "subscription { ticks }"))
        assert socket.receive_json()["id"] == "endless"
        socket.send_json(subscribe("short", "{ hello }"))
        while socket.receive_json()["id"] != "short":
            pass
        socket.send_json({"type": "complete", "id": "endless"})
        socket.send_json({"type": "ping"})

        # Events that were under way may still come; after the pong none does.
        while (message := socket.receive_json())["type"] != "pong":
            assert message["id"] in ("endless", "short")
        socket.send_json(subscribe("endless", "{ hello }"))

        assert socket.receive_json()["payload"]["data"] == {"hello": "hello ana"}


def test_a_ping_is_answered_also_before_the_caller_is_known() -> None:
    with a_socket(init=False) as socket:
        socket.send_json({"type": "ping", "payload": {"any": 1}})

        assert socket.receive_json() == {"type": "pong"}


@pytest.mark.parametrize(
    "message",
    [
        "null",
        "[]",
        "1",
        '"x"',
        "{",
        b"{}",
        "{}",
        {"type": "unknown"},
        {"type": "ping", "payload": "x"},
        {"type": "connection_init", "payload": "x"},
        {"type": "subscribe", "payload": {"query": "{ hello }"}},
        {"type": "subscribe", "id": 1, "payload": {"query": "{ hello }"}},
        {"type": "subscribe", "id": "", "payload": {"query": "{ hello }"}},
        {"type": "subscribe", "id": "1"},
        {"type": "subscribe", "id": "1", "payload": "x"},
        {"type": "subscribe", "id": "1", "payload": {}},
        {"type": "subscribe", "id": "1", "payload": {"query": 1}},
        {"type": "complete"},
        '{"type": "ping", "payload": {"x": "\\ud800"}}',
        '{"type": "ping", "payload": ' + "[" * 5_000 + "]" * 5_000 + "}",
    ],
)
def test_a_message_outside_the_protocol_closes_with_4400(message: Any) -> None:
    with a_socket() as socket:
        assert closes_with(socket, message) == 4400


def test_a_message_beyond_the_limit_closes_the_connection() -> None:
    with a_socket(a_client(Limits(body_bytes=1000))) as socket:
        assert closes_with(socket, {"type": "ping", "payload": {"x": "x" * 1000}}) == 1009


@pytest.mark.parametrize(
    "payload", [None, {}, {"authorization": "Bearer wrong"}, {"authorization": 1}]
)
def test_a_stranger_is_closed_out_with_4403(payload: Any) -> None:
    with a_socket(init=False) as socket:
        assert closes_with(socket, {"type": "connection_init", "payload": payload}) == 4403


def test_the_key_in_the_headers_of_the_handshake_is_not_enough() -> None:
    with a_socket(init=False, Authorization=f"Bearer {KEY}") as socket:
        assert closes_with(socket, {"type": "connection_init"}) == 4403


def test_an_operation_before_the_acknowledgement_closes_with_4401() -> None:
    with a_socket(init=False) as socket:
        assert closes_with(socket, subscribe("1", "{ hello }")) == 4401


def test_saying_nothing_for_too_long_closes_with_4408() -> None:
    with (
        a_socket(a_client(Limits(init_seconds=0.05)), init=False) as socket,
        pytest.raises(WebSocketDisconnect) as closed,
    ):
        socket.receive_text()

    assert closed.value.code == 4408


def test_once_known_a_connection_may_be_silent() -> None:
    with a_socket(a_client(Limits(init_seconds=0.05))) as socket:
        socket.send_json(subscribe("1", "subscription { ticks }"))

        assert {socket.receive_json()["type"] for _ in range(10)} == {"next"}


def test_a_second_initialisation_closes_with_4429() -> None:
    with a_socket() as socket:
        assert closes_with(socket, INIT) == 4429


def test_an_id_in_use_closes_with_4409() -> None:
    with a_socket() as socket:
        socket.send_json(subscribe("1", "subscription { ticks }"))

        assert closes_with(socket, subscribe("1", "subscription { ticks }")) == 4409


def test_another_protocol_closes_with_4406() -> None:
    with (
        a_client().websocket_connect("/graphql", subprotocols=["graphql-ws"]) as socket,
        pytest.raises(WebSocketDisconnect) as closed,
    ):
        socket.receive_text()

    assert closed.value.code == 4406


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ hello", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("query Q($n: Int!) { cars(first: $n) { edges { node { id } } } }", "BAD_USER_INPUT"),
        ("query A { hello } query B { hello }", "OPERATION_RESOLUTION_FAILURE"),
        ("{" + "hello " * 60 + "}", "TOO_MANY_ROOT_FIELDS"),
        ("subscription { lost }", "NOT_FOUND"),
        ("subscription { secrets }", "FORBIDDEN"),
    ],
)
def test_an_operation_at_fault_ends_alone_and_with_a_code(query: str, code: str) -> None:
    with a_socket() as socket:
        socket.send_json(subscribe("1", query))
        error = socket.receive_json()
        socket.send_json(subscribe("1", "{ hello }"))

        assert socket.receive_json()["payload"]["data"] == {"hello": "hello ana"}

    assert (error["type"], error["id"]) == ("error", "1")
    assert error["payload"][0]["extensions"]["code"] == code


def test_points_are_counted_here_as_well() -> None:
    with a_socket(a_client(Limits(points_per_minute=1))) as socket:
        socket.send_json(subscribe("1", "{ hello }"))
        assert [socket.receive_json()["type"] for _ in range(2)] == ["next", "complete"]
        socket.send_json(subscribe("2", "{ hello }"))

        error = socket.receive_json()

    assert error["payload"][0]["extensions"]["code"] == "RATE_LIMITED"


def test_more_operations_than_allowed_are_refused() -> None:
    with a_socket(a_client(Limits(socket_operations=1))) as socket:
        socket.send_json(subscribe("1", "subscription { ticks }"))
        socket.send_json(subscribe("2", "{ hello }"))

        while (message := socket.receive_json())["id"] != "2":
            pass

    assert message["payload"][0]["extensions"]["code"] == "TOO_MANY_OPERATIONS"


def test_a_revoked_key_ends_its_subscriptions() -> None:
    keys = Keys()
    with a_socket(TestClient(an_app(keys=keys))) as socket:
        socket.send_json(subscribe("1", "subscription { ticks }"))
        socket.receive_json()

        keys.good.clear()

        assert closes_with(socket, {"type": "pong"}) == 4403


def test_a_fault_is_masked_here_as_well() -> None:
    with capture_logs() as logs, a_socket() as socket:
        socket.send_json(subscribe("1", "{ broken }"))
        message = socket.receive_json()

    assert message["payload"]["errors"][0]["message"] == "Internal server error"
    assert "SELECT secret" in str(logs[0]["exc_info"])


def test_a_page_of_another_site_cannot_connect() -> None:
    with pytest.raises(WebSocketDisconnect), a_socket(init=False, Origin="https://evil.example"):
        pass


@pytest.mark.parametrize("origin", ["http://testserver", "https://shop.example"])
def test_pages_of_this_host_and_of_allowed_sites_can_connect(origin: str) -> None:
    client = a_client(origins=["https://shop.example"])

    with a_socket(client, Origin=origin) as socket:
        socket.send_json({"type": "ping"})

        assert socket.receive_json() == {"type": "pong"}
