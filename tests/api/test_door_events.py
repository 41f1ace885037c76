import json
from typing import Any

import pytest

from api.door import Limits
from tests.api import plain_http
from tests.api.garage import KEY, Keys, a_client, a_live_server, an_app

STREAM = {"Accept": "text/event-stream"}


def events(text: str) -> list[tuple[str, Any]]:
    found = []
    for block in text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        found.append((fields["event"], json.loads(fields["data"]) if "data" in fields else None))
    return found


def stream_of(query: str) -> Any:
    return a_client().post("/graphql", json={"query": query}, headers=STREAM)


def test_a_subscription_is_a_stream_of_events() -> None:
    response = stream_of("subscription { count(to: 2) }")

    assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    told = events(response.text)
    assert [name for name, _ in told] == ["next", "next", "complete"]
    assert [data["data"] for _, data in told[:2]] == [{"count": 1}, {"count": 2}]


def test_a_query_is_a_stream_of_one() -> None:
    told = events(stream_of("{ hello }").text)

    assert [name for name, _ in told] == ["next", "complete"]
    assert told[0][1]["data"] == {"hello": "hello ana"}


def test_a_browser_may_subscribe_with_get() -> None:
    response = a_client().get(
        "/graphql", params={"query": "subscription { count(to: 1) }"}, headers=STREAM
    )

    assert [name for name, _ in events(response.text)] == ["next", "complete"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription S($to: Int!) { count(to: $to) }", "BAD_USER_INPUT"),
    ],
)
def test_what_cannot_be_subscribed_to_is_a_coded_400(query: str, code: str) -> None:
    response = stream_of(query)

    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == code


def test_a_source_that_refuses_ends_the_stream_with_its_code() -> None:
    (name, data), end = events(stream_of("subscription { lost }").text)

    assert (name, end) == ("next", ("complete", None))
    assert data["errors"][0]["extensions"] == {"code": "NOT_FOUND", "field": ["job"]}


def test_a_revoked_key_ends_its_streams() -> None:
    keys = Keys()
    with (
        a_live_server(an_app(keys=keys)) as url,
        plain_http.stream(
            "POST",
            url,
            json={"query": "subscription { ticks }"},
            headers={**STREAM, "Authorization": f"Bearer {KEY}"},
        ) as response,
    ):
        lines = response.iter_lines()
        next(lines)

        keys.good.clear()

        assert '"UNAUTHENTICATED"' in "".join(lines)


def test_a_silent_stream_says_that_it_still_lives() -> None:
    limits = Limits(heartbeat_seconds=0.02)
    with (
        a_live_server(an_app(limits)) as url,
        plain_http.stream(
            "POST",
            url,
            json={"query": "subscription { silence }"},
            headers={**STREAM, "Authorization": f"Bearer {KEY}"},
        ) as response,
    ):
        assert next(response.iter_lines()) == ":"
